import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { KubernetesError } from '../kubernetes/index.ts';
import {
  findSimple,
  isReadOnly,
  readOnlySetting,
  readOnlyVariable,
  withSetting,
} from './simple-deployment.ts';
import { installSimple } from './simple-install.ts';
import { maintainSimple } from './simple-maintenance.ts';

const namespace = 'ci';
const inNineMonths = new Date(Date.now() + 270 * 24 * 60 * 60 * 1000);

async function neglected(): Promise<MemoryCluster> {
  const cluster = new MemoryCluster();
  const storage = { kind: 'volume', size: '1Gi' } as const;
  await installSimple(cluster, { namespace, storage, tls: { from: 'own-ca' } });
  const deployment = await findSimple(cluster, namespace);
  if (deployment === undefined) throw new Error('no Deployment');
  await cluster.replace(withSetting(deployment, readOnlyVariable, readOnlySetting(true)));
  return cluster;
}

async function maintain(cluster: MemoryCluster): Promise<{ warnings: string[]; lines: string[] }> {
  const [warnings, lines]: [string[], string[]] = [[], []];
  const log = {
    debug: () => {},
    info: (line: string) => void lines.push(line),
    warn: (line: string) => void warnings.push(line),
  };
  await maintainSimple(cluster, namespace, { log, now: inNineMonths });
  return { warnings, lines };
}

describe('maintainSimple()', () => {
  it('renews what is due, and ends read-only that nobody needs', async () => {
    const cluster = await neglected();
    const { warnings, lines } = await maintain(cluster);
    expect(warnings).toEqual([]);
    expect(lines).toContain('Applied Secret ci/reposure-simple-authentication');
    const deployment = await findSimple(cluster, namespace);
    expect(deployment && isReadOnly(deployment)).toBe(false);
    expect((await maintain(cluster)).lines).toEqual([]);
  });

  it('says what fails, and does the rest', async () => {
    const cluster = await neglected();
    cluster.forbidden.add('Secret');
    const { warnings } = await maintain(cluster);
    expect(warnings).toEqual([expect.stringMatching(/^Simple registry of namespace ci: .*403/)]);
    const deployment = await findSimple(cluster, namespace);
    expect(deployment && isReadOnly(deployment)).toBe(false);
  });

  it('leaves it to whoever was quicker', async () => {
    const cluster = await neglected();
    cluster.replace = async () => {
      throw new KubernetesError('change it', { status: 409 });
    };
    expect((await maintain(cluster)).warnings).toEqual([]);
  });

  it('does nothing where there is no simple registry', async () => {
    expect(await maintain(new MemoryCluster())).toEqual({ warnings: [], lines: [] });
  });
});
