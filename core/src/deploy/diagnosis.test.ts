import { describe, expect, it } from 'vitest';

import type { Pod } from '../kubernetes/index.ts';
import { troubleOf } from './pod-trouble.ts';
import { adviceOn, hostOf, pullCauseIn } from './pull-advice.ts';
import { selectorText } from './workload-pods.ts';

const pod = (status: Pod['status'], deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'app-1', ...(deletionTimestamp ? { deletionTimestamp } : {}) },
  ...(status && { status }),
});
const container = (state: object, more: object = {}) => ({
  containerStatuses: [{ name: 'app', ready: false, state, ...more }],
});
const ended = { terminated: { exitCode: 1 } };

describe('troubleOf()', () => {
  it.each([
    [
      'pull',
      true,
      'an image that cannot be pulled',
      container({ waiting: { reason: 'ImagePullBackOff' } }),
    ],
    [
      'setup',
      true,
      'a Secret that is missing',
      container({ waiting: { reason: 'CreateContainerConfigError' } }),
    ],
    ['crash', false, 'the first crash', container(ended)],
    [
      'crash',
      true,
      'the third',
      container({ waiting: { reason: 'CrashLoopBackOff' } }, { lastState: ended, restartCount: 2 }),
    ],
    [
      'crash',
      true,
      'the only one, of a Pod that is not restarted',
      { phase: 'Failed', ...container(ended) },
    ],
    [
      'unschedulable',
      false,
      'no node',
      { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes' }] },
    ],
    ['unready', false, 'a probe that fails', { phase: 'Running', ...container({ running: {} }) }],
    [
      'pending',
      false,
      'a volume that is not there',
      { phase: 'Pending', ...container({ waiting: { reason: 'ContainerCreating' } }) },
    ],
    ['failed', true, 'an eviction', { phase: 'Failed', reason: 'Evicted' }],
    [
      'pull',
      true,
      'an init container',
      {
        initContainerStatuses: [{ name: 'a', state: { waiting: { reason: 'ErrImagePull' } } }],
        ...container({ waiting: { reason: 'PodInitializing' } }),
      },
    ],
  ])('tells %s (stuck: %s) of %s', (kind, isStuck, _, status) => {
    expect(troubleOf(pod(status))).toMatchObject({ kind, isStuck });
  });

  it('has nothing to tell of Pods that are ready, done, or on their way out', () => {
    expect(troubleOf(pod({ conditions: [{ type: 'Ready', status: 'True' }] }))).toBeUndefined();
    expect(troubleOf(pod({ phase: 'Succeeded' }))).toBeUndefined();
    expect(troubleOf(pod(container(ended), '2026-01-01T00:00:00Z'))).toBeUndefined();
  });
});

describe('adviceOn()', () => {
  const image = 'registry.test:5000/team/app@sha256:a';
  // What containerd 2 and CRI-O say, in their words.
  it.each([
    [
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
      /do not trust the certificate of registry\.test:5000/,
    ],
    [
      'http: server gave HTTP response to HTTPS client',
      /speak HTTPS and registry\.test:5000 answers HTTP/,
    ],
    [
      'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
      /reposure -n ci registry pull-secret team --for-namespace shop --service-account default/,
    ],
    [
      'unexpected status from HEAD request to https://registry.test: 401 Unauthorized',
      /pull-secret/,
    ],
    [
      'registry.test:5000/team/app@sha256:a: not found',
      /does not have it: want it pushed first \(`reposure image list team`/,
    ],
    [
      'dial tcp: lookup registry.ci.svc: no such host',
      /cannot reach registry\.test:5000: want the name by which they pull/,
    ],
    ['no match for platform in manifest', /platform of the nodes/],
  ])('knows what to do about "%s"', (cause, step) => {
    const registry = { name: 'team', namespace: 'ci' };
    const pull = { image, cause, namespace: 'shop', serviceAccount: 'default', registry };
    expect(adviceOn(pull)).toMatch(step);
  });

  it('says nothing where it knows nothing', () => {
    const pull = {
      image,
      cause: 'toomanyrequests',
      namespace: 'a',
      serviceAccount: 'b',
      registry: undefined,
    };
    expect(adviceOn(pull)).toBeUndefined();
  });
});

describe('what a runtime says', () => {
  it('is said once', () => {
    const said = `Back-off pulling image "a.test/b": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "a.test/b": failed to resolve reference "a.test/b": a.test/b: not found`;
    expect(pullCauseIn(said)).toBe('a.test/b: not found');
    expect(pullCauseIn('Back-off pulling image "a.test/b"')).toBe('');
  });

  it('is of a host', () => {
    expect(['localhost/a', 'a.test/b', 'a:1/b', 'team/app', 'app'].map(hostOf)).toEqual([
      'localhost',
      'a.test',
      'a:1',
      'docker.io',
      'docker.io',
    ]);
  });
});

describe('selectorText()', () => {
  it('says all that a selector of a workload can', () => {
    const matchExpressions = [
      { key: 'b', operator: 'In', values: ['1', '2'] },
      { key: 'c', operator: 'NotIn', values: ['3'] },
      { key: 'd', operator: 'Exists' },
      { key: 'e', operator: 'DoesNotExist' },
    ];
    expect(selectorText({ matchLabels: { a: 'x' }, matchExpressions })).toBe(
      'a=x,b in (1,2),c notin (3),d,!e',
    );
  });
});
