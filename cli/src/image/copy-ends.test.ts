import { describe, expect, it } from 'vitest';

import { parseEnds } from './copy-ends.ts';
import type { EndFlags } from './copy-ends.ts';

const digest = `sha256:${'0'.repeat(64)}`;

describe('parseEnds()', () => {
  it.each([
    ['app:1', 'app:prod', { source: { repository: 'library/app', tag: '1' } }],
    [`a/b@${digest}`, 'a/b', { destination: { repository: 'a/b', tags: ['latest'] } }],
    [
      'docker://ghcr.io/a/b',
      'a/b:1',
      { sourceHost: 'ghcr.io', source: { repository: 'a/b' }, destination: { tags: ['1'] } },
    ],
    [
      'a/b:1',
      'docker://docker.io/busybox:2',
      {
        destinationHost: 'registry-1.docker.io',
        destination: { repository: 'library/busybox', tags: ['2'] },
      },
    ],
    ['docker://localhost:5000/a', 'a', { sourceHost: 'localhost:5000' }],
  ])('reads %s and %s', (source, target, expected) => {
    expect(parseEnds(source, target, {})).toMatchObject(expected);
  });

  it.each<[string, [string, string], EndFlags, RegExp]>([
    ['a Registry for docker://', ['docker://h:1/a', 'b'], { toRegistry: 'x' }, /--to-registry/],
    ['a cluster for docker://', ['a', 'docker://h:1/b'], { toContext: 'x' }, /--to-context/],
    ['a CA for no docker://', ['a', 'b'], { srcCa: 'x' }, /--src-ca/],
    ['plain HTTP for no docker://', ['docker://h:1/a', 'b'], { toInsecure: true }, /--to-insecure/],
    ['a digest for a target', ['a', `b@${digest}`], {}, /want a tag/],
    ['a name that is none', ['UPPER', 'b'], {}, /UPPER/],
    ['a tag that is none', ['a', 'b'], { tag: ['-x'] }, /-x/],
    ['docker:// without a registry', ['docker://busybox', 'b'], {}, /docker:\/\/docker\.io/],
  ])('refuses %s', (_, [source, target], flags, message) => {
    expect(() => parseEnds(source, target, flags)).toThrow(message);
    expect(() => parseEnds(source, target, flags)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});
