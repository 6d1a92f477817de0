import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { openCluster, resourceTypes, waitFor } from '@reposure/core/kubernetes';
import type { ExecOptions, ExecSession, KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const kubeconfig = process.env['KUBECONFIG'];
const namespace = `reposure-exec-${randomUUID().slice(0, 8)}`;
const mebibyte = 1 << 20;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

describe.skipIf(!kubeconfig)('exec on a real cluster', async () => {
  const client = kubeconfig ? await openCluster({ kubeconfig }) : undefined;
  if (!client) return;

  beforeAll(async () => {
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const pod: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'sleeper', namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'sleeper',
            image: 'docker.io/library/busybox:1',
            imagePullPolicy: 'IfNotPresent',
            command: ['sh', '-c', 'echo ready; exec sleep 3600'],
          },
        ],
      },
    };
    // The namespace's ServiceAccount is made a moment after it, and without it a Pod is refused.
    await waitFor(
      client,
      resourceTypes.ServiceAccount,
      { name: 'default', namespace },
      { until: Boolean, describe: () => '', timeoutMs: 30_000 },
    );
    await client.apply(pod);
    await waitFor<KubernetesObject>(
      client,
      resourceTypes.Pod,
      { name: 'sleeper', namespace },
      {
        until: (seen) => (seen?.['status'] as { phase?: string })?.phase === 'Running',
        describe: (seen) => JSON.stringify(seen['status']),
        timeoutMs: 60_000,
      },
    );
  });

  afterAll(async () => {
    await client.delete(resourceTypes.Namespace, namespace);
    client.close();
  });

  async function run(
    command: readonly string[],
    options: Partial<ExecOptions> = {},
  ): Promise<ExecSession> {
    const target = { namespace, pod: 'sleeper', container: 'sleeper', command };
    return client?.exec({ ...target, ...options }) as Promise<ExecSession>;
  }

  it.each(protocols)(
    'echoes 160 MiB to a slow reader over %s without holding them',
    async (protocol) => {
      const session = await run(['cat'], { protocols: [protocol] });
      const { stream } = session;
      expect(session.protocol).toBe(protocol);
      const count = 160;
      const block = Buffer.alloc(mebibyte, 'reposure ');
      const sentHash = createHash('sha256');
      const source = Readable.from(
        (function* () {
          for (let i = 0; i < count; i++) {
            block.writeUInt32BE(i);
            sentHash.update(block);
            yield Buffer.from(block);
          }
        })(),
      );
      source.pipe(stream);
      const hash = createHash('sha256');
      let size = 0;
      // The process grows to some level, and then stays there, however much passes through.
      let levelBytes = 0;
      let peakBytes = 0;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        hash.update(chunk);
        size += chunk.byteLength;
        peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
        if (size < (count / 2) * mebibyte) levelBytes = peakBytes;
        if (size % (4 * mebibyte) < chunk.byteLength) await delay(5);
        // v4 cannot end stdin: there the reader must know when it has all.
        if (size === count * mebibyte && protocol.startsWith('v4')) break;
      }
      session.abort();
      expect(size).toBe(count * mebibyte);
      expect(hash.digest('hex')).toBe(sentHash.digest('hex'));
      expect(peakBytes - levelBytes).toBeLessThan((count / 4) * mebibyte);
    },
  );

  it.each(protocols)(
    'does not read ahead of a reader that stands still over %s',
    async (protocol) => {
      const session = await run(['dd', 'if=/dev/zero', 'bs=1M', 'count=256'], {
        protocols: [protocol],
      });
      session.stream.once('readable', () => {});
      await delay(2000);
      expect(session.stream.readableLength).toBeLessThan(mebibyte);
      session.abort();
    },
  );

  it.each(protocols)(
    'downloads 512 MiB to a slow reader over %s without holding them',
    async (protocol) => {
      const count = 512;
      const session = await run(['dd', 'if=/dev/zero', 'bs=64k', `count=${count * 16}`], {
        protocols: [protocol],
      });
      let size = 0;
      let levelBytes = 0;
      let peakBytes = 0;
      for await (const chunk of session.stream as AsyncIterable<Buffer>) {
        size += chunk.byteLength;
        peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers);
        if (size < 64 * mebibyte) levelBytes = peakBytes;
        if (size % (8 * mebibyte) < chunk.byteLength) await delay(20);
      }
      expect(size).toBe(count * mebibyte);
      expect(peakBytes - levelBytes).toBeLessThan(128 * mebibyte);
    },
  );

  it.each(protocols)(
    'does not take 512 MiB over %s for a program that reads none of them',
    async (protocol) => {
      const session = await run(['sleep', '60'], { protocols: [protocol] });
      const block = Buffer.alloc(mebibyte);
      const heldBytes = process.memoryUsage().arrayBuffers;
      let taken = 0;
      for (let i = 0; i < 512; i++) session.stream.write(block, () => taken++);
      await delay(5_000);
      // What the sockets, the API server, the kubelet and the runtime hold.
      expect(taken).toBeLessThan(128);
      expect(process.memoryUsage().arrayBuffers - heldBytes).toBeLessThan(32 * mebibyte);
      session.abort();
    },
  );

  it.each(protocols)('tells the exit code and stderr over %s', async (protocol) => {
    const session = await run(['sh', '-c', 'echo out; echo trouble >&2; exit 3'], {
      protocols: [protocol],
    });
    expect(Buffer.concat(await session.stream.toArray()).toString()).toBe('out\n');
    await expect(session.exit).resolves.toMatchObject({ exitCode: 3 });
    expect(session.stderr()).toBe('trouble\n');
  });

  it('ends stdin on v5', async () => {
    const { stream, exit } = await run(['wc', '-c']);
    stream.end(Buffer.alloc(300_000));
    expect(
      Buffer.concat(await stream.toArray())
        .toString()
        .trim(),
    ).toBe('300000');
    await expect(exit).resolves.toMatchObject({ exitCode: 0 });
  });

  it('says that a program is not there', async () => {
    const { stream, exit } = await run(['/nowhere']);
    stream.resume();
    await expect(exit).resolves.toMatchObject({
      exitCode: undefined,
      message: expect.stringContaining('/nowhere'),
    });
  });

  it.each([
    [{ pod: 'nobody' }, 404, /pods "nobody" not found/],
    [{ container: 'nobody' }, 400, /container nobody is not valid for pod sleeper/],
  ])('refuses %o', async (options, status, message) => {
    const failure = await run(['cat'], options).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'CLUSTER_RESPONSE', status });
    expect(String(failure)).toMatch(message);
  });

  it('ends at once when it is aborted', async () => {
    const stop = new AbortController();
    const { stream, exit } = await run(['sleep', '60'], { signal: stop.signal });
    const reason = new Error('the user has gone');
    stop.abort(reason);
    await expect(stream.toArray()).rejects.toBe(reason);
    await expect(exit).rejects.toBe(reason);
  });

  it('reads a log', async () => {
    const chunks = await Array.fromAsync(client.logs('sleeper', namespace));
    expect(Buffer.concat(chunks).toString()).toBe('ready\n');
  });

  it('knows what it may', async () => {
    await expect(
      client.can({ verb: 'create', resource: 'pods', subresource: 'exec', namespace }),
    ).resolves.toBe(true);
  });
});
