import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { findDistribution } from '../support/registries.ts';
import { startTokenRegistry } from '../support/token-registry.ts';
import type { Refusal, TokenRegistry } from '../support/token-registry.ts';
import { hasTool } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

// Harbor and Quay do not run here. What stands in for them is what a client sees of them: Harbor's
// own registry is Distribution with these settings, behind its token service; Quay speaks the same
// protocol at another address. Both let a robot account into one project, or organisation, only.
const products = [
  {
    provider: 'harbor',
    // https://github.com/goharbor/harbor/blob/v2.14.0/make/photon/prepare/templates/registry/config.yml.jinja
    realmPath: '/service/token',
    service: 'harbor-registry',
    issuer: 'harbor-token-issuer',
    robot: 'robot$team+pipeline',
    unauthorized: { errors: [{ code: 'UNAUTHORIZED', message: 'unauthorized' }] },
    advice: /robot\$/,
  },
  {
    provider: 'quay',
    // https://docs.quay.io/api/ names the robots; the address is what /v2/ of quay.io answers with.
    realmPath: '/v2/auth',
    service: 'quay.example.com',
    issuer: 'quay',
    robot: 'team+pipeline',
    unauthorized: { error: 'Could not find robot with specified username' },
    advice: /ORGANISATION\+NAME/,
  },
] as const;
type Product = (typeof products)[number];

const password = 'a-very-secret-token';

let embedded: EmbeddedWorld;
let shell: UserShell;

describe.skipIf(!hasTool('kubectl') || !findDistribution('3'))(
  'stand-ins for products with robot accounts (needs kubectl, Distribution 3)',
  () => {
    beforeAll(async () => {
      embedded = await startEmbeddedWorld();
      shell = await openUserShell({ env: embedded.env, namespace: 'products' });
      await shell.ok('reposure operator install --wait');
      await writeFile(join(shell.directory, 'hello.txt'), 'hello\n');
    });

    afterAll(async () => {
      await shell?.close();
      await embedded?.close();
    });

    describe.each(products)('$provider', (product) => {
      describeProduct(product);
    });
  },
);

function describeProduct(product: Product): void {
  const { provider, robot, advice } = product;
  let registry: TokenRegistry;

  beforeAll(async () => {
    const started = await startTokenRegistry({
      version: '3',
      tls: true,
      ...product,
      grant: (given, scope) => {
        if (given?.username !== robot || given.password !== password) {
          return { status: 401, body: product.unauthorized };
        }
        return scope.startsWith('repository:team/') ? ['pull', 'push'] : [];
      },
      gate: (request) => gateOf(request, registry.host),
    });
    if (!started) throw new Error('Distribution 3 does not start');
    registry = started;
    await writeFile(join(shell.directory, `${provider}.crt`), registry.ca);
    await shell.ok(
      `kubectl create secret generic ${provider}-ca --from-file=ca.crt=${provider}.crt`,
    );
    await login(robot, password);
    await shell.ok(
      `reposure registry create ${provider} --provider=${provider} --host=${registry.host} --tls-secret=${provider}-ca --login-secret=${provider}-robot --wait`,
    );
  });

  afterAll(() => registry?.close());

  /** What the Registry logs in with, from now on. */
  async function login(username: string, secret: string): Promise<void> {
    await shell.ok(
      `kubectl create secret docker-registry ${provider}-robot --docker-server=${registry.host} --docker-username='${username}' --docker-password='${secret}' --dry-run=client -o yaml | kubectl apply -f -`,
    );
  }

  /** Secrets are not watched: the operator would look after up to half a minute. */
  async function touch(): Promise<void> {
    await shell.ok(`kubectl annotate registry/${provider} touched=$(date +%s%N) --overwrite`);
  }

  it('becomes ready with a robot account, and takes and gives an image', async () => {
    const pushed = await shell.ok(`reposure image push ${provider} team/hello:1 hello.txt -o json`);
    expect(JSON.parse(pushed)).toMatchObject({ pushRefs: [`${registry.host}/team/hello:1`] });
    expect(await shell.ok(`reposure image pull ${provider} team/hello:1 --unpack`)).toBe('hello\n');
  });

  it.each(['other/hello', 'library/hello'])(
    'lets the robot into no other, not into %s',
    async (repository) => {
      const { status, stderr } = await shell.run(
        `reposure image push ${provider} ${repository}:1 hello.txt`,
      );
      expect(status).toBe(1);
      expect(stderr).toContain(`it refuses the login for HEAD /v2/${repository}/`);
      expect(stderr).not.toContain(password);
    },
  );

  it('says what login it wants when it gets a wrong one, and heals', async () => {
    await login(robot, 'another-token');
    await touch();
    await shell.ok(
      `kubectl wait --for=condition=CredentialsValid=false registry/${provider} --timeout=60s`,
    );
    const said = await shell.ok(
      `kubectl get registry ${provider} -o jsonpath='{.status.conditions[?(@.type=="CredentialsValid")].message}'`,
    );
    expect(said).toMatch(advice);
    expect(said).not.toContain('another-token');
    await login(robot, password);
    await touch();
    await shell.ok(`kubectl wait --for=condition=Ready registry/${provider} --timeout=60s`);
  });

  it('is answered by the stand-in under its own host only', async () => {
    expect(await statusAt(registry, { host: registry.host })).toBe(401);
    expect(await statusAt(registry, { host: 'other.example.com' })).toBe(421);
  });
}

/** The front of both serves more than a registry, and that under its own name. */
function gateOf({ headers }: IncomingMessage, host: string): Refusal | undefined {
  return headers.host === host ? undefined : { status: 421, body: {} };
}

async function statusAt({ host, ca }: TokenRegistry, headers: { host: string }): Promise<number> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`https://${host}/v2/`, { ca, headers, servername: 'localhost', agent: false }, resolve).on(
      'error',
      reject,
    );
  });
  answer.resume();
  return answer.statusCode ?? 0;
}
