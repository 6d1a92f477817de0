import { describe, expect, it } from 'vitest';

import { Metrics } from './metrics.ts';

describe('Metrics', () => {
  it('tells what was counted, as Prometheus reads it', async () => {
    const metrics = new Metrics();
    metrics.answered({ method: 'GET', status: 200 });
    metrics.answered({ method: 'GET', status: 200 });
    metrics.answered({ method: 'PATCH', status: 0 });
    metrics.reconciled('success', 0.02);
    metrics.reconciled('error', 2);
    metrics.retried();
    metrics.leads(true);
    metrics.show('a/one', 'True');
    metrics.show('a/two', 'False');
    metrics.show('a/three', 'False');
    metrics.show('a/three', undefined);
    metrics.watchQueue(() => 7);
    const lines = (await metrics.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'reposure_api_requests_total{method="GET",code="200"} 2',
        'reposure_api_requests_total{method="PATCH",code="0"} 1',
        'reposure_reconciles_total{result="success"} 1',
        'reposure_reconciles_total{result="error"} 1',
        'reposure_reconcile_seconds_bucket{le="0.05"} 1',
        'reposure_reconcile_seconds_count 2',
        'reposure_retries_total 1',
        'reposure_leader 1',
        'reposure_registries{ready="True"} 1',
        'reposure_registries{ready="False"} 1',
        'reposure_registries{ready="Unknown"} 0',
        'reposure_queue_depth 7',
      ]),
    );
  });

  it('names no Registry', async () => {
    const metrics = new Metrics();
    metrics.show('team/secret-project', 'True');
    expect(await metrics.text()).not.toContain('secret-project');
  });
});
