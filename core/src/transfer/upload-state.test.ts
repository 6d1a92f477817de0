import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { digestOf } from '../oci/index.ts';
import { describeOwner, ownOwner, parseOwner } from '../process-owner.ts';
import type { TransferState } from './options.ts';
import { claimUpload } from './upload-state.ts';

const digest = digestOf('a layer');
const upload = { repository: 'a/b', location: '/v2/a/b/blobs/uploads/7?_state=s3cret', offset: 5 };
const dayMs = 24 * 60 * 60 * 1000;

let state: TransferState;
const folder = (): string => join(state.directory, 'uploads');
const files = async (): Promise<string[]> => readdir(folder());

beforeEach(async () => {
  state = { directory: await mkdtemp(join(tmpdir(), 'upload-state-')), registry: 'uid' };
});

afterEach(() => rm(state.directory, { recursive: true, force: true }));

/** Leaves an upload behind as a process does that was killed. */
async function leftBy(owner: string): Promise<string> {
  const record = await claimUpload(state, 'a/b', digest);
  await record.save(upload);
  const [name = ''] = await files();
  await record.release();
  const [released = ''] = await files();
  const path = join(folder(), name.replace(/\.[^.]+\./, `.${owner}.`));
  const bytes = await readFile(join(folder(), released));
  await rm(join(folder(), released));
  await writeFile(path, bytes);
  return path;
}

describe('claimUpload()', () => {
  it('finds what an earlier push left, and does not trust its offset', async () => {
    const first = await claimUpload(state, 'a/b', digest);
    expect(first.left).toBeUndefined();
    await first.save({ ...upload, minChunkBytes: 1000 });
    await first.release();
    const second = await claimUpload(state, 'a/b', digest);
    expect(second.left).toEqual({ ...upload, offset: 0, minChunkBytes: 1000 });
    await second.release();
  });

  it.each([
    ['registry', 'other', 'a/b', digest],
    ['repository', 'uid', 'a/c', digest],
    ['digest', 'uid', 'a/b', digestOf('another layer')],
  ])('finds nothing of another %s', async (_, registry, repository, wanted) => {
    const first = await claimUpload(state, 'a/b', digest);
    await first.save(upload);
    await first.release();
    const second = await claimUpload({ ...state, registry }, repository, wanted);
    expect(second.left).toBeUndefined();
    await second.release();
  });

  it('keeps the secret from everybody else, and out of the names', async () => {
    const record = await claimUpload(state, 'a/b', digest);
    await record.save(upload);
    const [name = ''] = await files();
    expect((await stat(join(folder(), name))).mode & 0o777).toBe(0o600);
    expect((await stat(folder())).mode & 0o777).toBe(0o700);
    expect(name).not.toMatch(/s3cret|a\/b|uid/);
    await record.release();
  });

  it('does not share an upload with a push that still works', async () => {
    const first = await claimUpload(state, 'a/b', digest);
    await first.save(upload);
    const second = await claimUpload(state, 'a/b', digest);
    expect(second.left).toBeUndefined();
    await first.release();
    await second.release();
  });

  it('gives an upload to one of many that want it', async () => {
    await leftBy('free');
    const records = await Promise.all(
      Array.from({ length: 20 }, () => claimUpload(state, 'a/b', digest)),
    );
    expect(records.filter(({ left }) => left)).toHaveLength(1);
    for (const record of records) await record.release();
  });

  it('takes over from a process that was killed, also where its number is in use again', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const own = await ownOwner();
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const startTime = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
    await leftBy(describeOwner({ ...own, pid, startTime }));
    const tooEarly = await claimUpload(state, 'a/b', digest);
    expect(tooEarly.left).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'close');
    const inTime = await claimUpload(state, 'a/b', digest);
    expect(inTime.left?.location).toBe(upload.location);
    await inTime.forget();
    await leftBy(describeOwner({ ...own, pid: own.pid, startTime: own.startTime + 1 }));
    const again = await claimUpload(state, 'a/b', digest);
    expect(again.left?.location).toBe(upload.location);
    for (const record of [tooEarly, inTime, again]) await record.release();
  });

  it('takes over from another machine only when its heart has stopped', async () => {
    const path = await leftBy('0123456789abcdef-1-1');
    const tooEarly = await claimUpload(state, 'a/b', digest);
    expect(tooEarly.left).toBeUndefined();
    const longAgo = new Date(Date.now() - 3 * 60_000);
    await utimes(path, longAgo, longAgo);
    const inTime = await claimUpload(state, 'a/b', digest);
    expect(inTime.left?.location).toBe(upload.location);
    for (const record of [tooEarly, inTime]) await record.release();
  });

  it('forgets what was finished', async () => {
    const record = await claimUpload(state, 'a/b', digest);
    await record.save(upload);
    await record.forget();
    await record.release();
    expect(await files()).toEqual([]);
  });

  it('clears away what is older than a day', async () => {
    const path = await leftBy('free');
    const longAgo = new Date(Date.now() - dayMs - 1000);
    await utimes(path, longAgo, longAgo);
    const other = await claimUpload(state, 'x/y', digest);
    await other.release();
    expect(await files()).toEqual([]);
  });

  it('counts the age from the beginning of an upload, not from its last piece', async () => {
    const path = await leftBy('free');
    const remembered = JSON.parse(await readFile(path, 'utf8')) as { begunAtMs: number };
    await writeFile(path, JSON.stringify({ ...remembered, begunAtMs: Date.now() - dayMs - 1000 }));
    const record = await claimUpload(state, 'a/b', digest);
    expect(record.left).toBeUndefined();
    await record.release();
    expect(await files()).toEqual([]);
  });

  it.each([
    ['half of it', '{"location":"/v2/'],
    ['an upload at another place', '{"location":"//evil.example.com/","begunAtMs":9e15}'],
    ['something else', '[]'],
  ])('takes no notice of a record with %s', async (_, text) => {
    await writeFile(await leftBy('free'), text);
    const record = await claimUpload(state, 'a/b', digest);
    expect(record.left).toBeUndefined();
    await record.release();
    expect(await files()).toEqual([]);
  });
});

describe('parseOwner()', () => {
  it('reads what describeOwner() wrote, and nothing else', async () => {
    const own = await ownOwner();
    expect(parseOwner(describeOwner(own))).toEqual(own);
    expect(parseOwner('free')).toBeUndefined();
  });
});
