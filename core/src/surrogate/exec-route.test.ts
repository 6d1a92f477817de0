import { duplexPair } from 'node:stream';

import { afterEach, describe, expect, it } from 'vitest';

import { UnreachableError, UnsupportedError } from '../errors.ts';
import type { ExecOptions, ExecSession, KubernetesClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/index.ts';
import { execRoute } from './exec-route.ts';
import { gatewayHandler } from './gateway.ts';
import type { Route } from './route.ts';
import { serveSession } from './server-session.ts';

const v4 = 'v4.channel.k8s.io';
const v5 = 'v5.channel.k8s.io';
const pod = {
  metadata: { name: 'p' },
  status: { phase: 'Running', containerStatuses: [{ name: 'surrogate', state: { running: {} } }] },
};
const routes: Route[] = [];
afterEach(async () => {
  for (const route of routes.splice(0)) await route.close();
});

/** A route through a cluster whose exec serves a session, or throws what `refuse` returns. */
function routeThrough(
  refuse: (protocols: readonly string[]) => Error | undefined,
  protocols?: readonly string[],
): { route: Route; offered: (readonly string[])[] } {
  const offered: (readonly string[])[] = [];
  const exec = async (asked: ExecOptions): Promise<ExecSession> => {
    offered.push(asked.protocols ?? []);
    const refusal = refuse(asked.protocols ?? []);
    if (refusal) throw refusal;
    const [near, far] = duplexPair();
    const upstream = async (): Promise<never> => {
      throw new UnreachableError('There is no registry');
    };
    void serveSession(far, gatewayHandler({ upstream }));
    return {
      stream: near,
      protocol: asked.protocols?.[0] ?? '',
      exit: new Promise(() => {}),
      stderr: () => '',
      abort: () => near.destroy(),
    };
  };
  const kubernetes = { exec, find: async () => pod } as unknown as KubernetesClient;
  const registry = {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci' },
    spec: { type: 'oci' },
  } as const;
  const route = execRoute({ kubernetes, registry, ...(protocols ? { protocols } : {}) });
  routes.push(route);
  return { route, offered };
}

async function failureOf({ request }: Route): Promise<unknown> {
  return await request({ method: 'GET', path: '/v2/' }).catch((error: unknown) => error);
}

const refused = (status: number): Error => new KubernetesError('exec', { status });

describe('execRoute()', () => {
  it('offers v4 alone: among others an API server would take v5', async () => {
    const { route, offered } = routeThrough(() => undefined);
    expect(String(await failureOf(route))).toContain('There is no registry');
    expect(offered).toEqual([[v4]]);
  });

  it.each([
    ['an answer in another protocol', new UnsupportedError('another')],
    ['a bad request', refused(400)],
    ['a refused handshake', refused(403)],
    ['a failed one', refused(500)],
  ])('goes on with v5 after %s', async (_, refusal) => {
    const { route, offered } = routeThrough((asked) => (asked.includes(v5) ? undefined : refusal));
    expect(String(await failureOf(route))).toContain('There is no registry');
    expect(offered).toEqual([[v4], [v5]]);
  });

  it('passes on what both are refused with', async () => {
    const { route, offered } = routeThrough(() => refused(403));
    expect(await failureOf(route)).toMatchObject({ code: 'CLUSTER_RESPONSE', status: 403 });
    expect(offered).toEqual([[v4], [v5]]);
  });

  it.each([refused(401), refused(404), new UnreachableError('gone')])(
    'does not try again what is no matter of protocols: %s',
    async (error) => {
      const { route, offered } = routeThrough(() => error);
      expect(await failureOf(route)).toBe(error);
      expect(offered).toEqual([[v4]]);
    },
  );

  it('offers what it was told to', async () => {
    const { route, offered } = routeThrough(() => refused(400), [v5, v4]);
    expect(await failureOf(route)).toMatchObject({ status: 400 });
    expect(offered).toEqual([[v5, v4]]);
  });
});
