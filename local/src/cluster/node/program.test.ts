import { describe, expect, it } from 'vitest';

import { programOf } from './program.ts';

const named = (name: string) => ({ command: () => [name] });
const table = {
  'ghcr.io/reposure/reposure:1': named('own'),
  'registry:3': named('registry'),
  'localhost:5000/tool': named('tool'),
  '*/team/app': named('app'),
};

describe('programOf()', () => {
  it.each([
    ['ghcr.io/reposure/reposure:1', 'own'],
    ['registry:3', 'registry'],
    ['docker.io/library/registry:3', 'registry'],
    ['library/registry:3', 'registry'],
    ['localhost:5000/tool:9', 'tool'],
    ['localhost:5000/tool@sha256:00', 'tool'],
    ['localhost:5000/tool', 'tool'],
    ['localhost:5000/team/app:1@sha256:00', 'app'],
    ['registry.test/team/app', 'app'],
  ])('finds %s', (image, expected) => {
    expect(programOf(table, image)).toBe(table[keyOf(expected)]);
  });

  it.each([
    'ghcr.io/reposure/reposure:2',
    'registry',
    'registry:30',
    'toString',
    'localhost:5000/x',
    'team/app',
    'localhost:5000/other/team/app',
  ])('does not find %s', (image) => {
    expect(programOf(table, image)).toBeUndefined();
  });
});

function keyOf(name: string): keyof typeof table {
  const keys = Object.keys(table) as (keyof typeof table)[];
  return keys.find((key) => table[key].command()[0] === name) ?? 'registry:3';
}
