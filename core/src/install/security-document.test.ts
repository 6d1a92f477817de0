import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { clientRights, directRights, operatorRights } from './rights.ts';
import type { Right } from './rights.ts';

const text = readFileSync(new URL('../../../SECURITY.md', import.meta.url), 'utf8');

/** What the operator's table says of a scope. */
const scopes = { served: 'each namespace that it serves', own: 'its own', cluster: 'all' } as const;

/** The rows of the table between `<!-- NAME -->` and `<!-- /NAME -->`, without its head. */
function documented(name: string): string[] {
  const [, table = ''] = text.split(`<!-- ${name} -->`);
  const rows = table.split(`<!-- /${name} -->`)[0]?.split('\n') ?? [];
  return rows
    .filter((row) => row.startsWith('|'))
    .slice(2)
    .map(cellsOf);
}

function cellsOf(row: string): string {
  const cells = row.split('|').slice(1, -1);
  return cells.map((cell) => cell.trim()).join(' | ');
}

function rowOf({ apiGroup, resources, resourceNames, verbs, why }: Right): string[] {
  const group = apiGroup === '' ? 'core' : codes([apiGroup]);
  return [group, codes(resources), resourceNames ? codes(resourceNames) : 'any', codes(verbs), why];
}

function codes(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

describe('SECURITY.md', () => {
  it('has the operator’s rights, each with its scope and its reason, and no other', () => {
    const rows = operatorRights.map((right) => {
      const [group, resources, named, verbs, why] = rowOf(right);
      return [group, resources, named, verbs, scopes[right.scope], why].join(' | ');
    });
    expect(documented('operatorRules')).toEqual(rows);
  });

  it.each(['pull', 'push', 'exec'] as const)('has what the Role for %s allows', (use) => {
    const rows = clientRights('NAME', use).map((right) => rowOf(right).join(' | '));
    expect(documented(`${use}Role`)).toEqual(rows);
  });

  it('has what the Role to go direct allows', () => {
    const registry = {
      metadata: { name: 'NAME', namespace: 'ci' },
      spec: { type: 'oci', tlsSecret: 'TLS-SECRET', loginSecret: 'LOGIN-SECRET' },
    } as const;
    const onOpenShift = { ...registry, spec: { type: 'oci', provider: 'openshift' } } as const;
    const rights = [...directRights(registry), ...directRights(onOpenShift).slice(1)];
    expect(documented('directRole')).toEqual(rights.map((right) => rowOf(right).join(' | ')));
  });
});
