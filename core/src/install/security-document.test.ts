import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { execRoleOf } from './exec-role.ts';
import { operatorRules } from './operator-role.ts';
import type { PolicyRule } from './operator-role.ts';
import { pullRoleOf, pushRoleOf } from './proxy-roles.ts';

const text = readFileSync(new URL('../../../SECURITY.md', import.meta.url), 'utf8');

/** The rules in the table between `<!-- NAME -->` and `<!-- /NAME -->`, one line each. */
function documented(name: string): string[] {
  const [, table = ''] = text.split(`<!-- ${name} -->`);
  const rows = table.split(`<!-- /${name} -->`)[0]?.split('\n') ?? [];
  // What is no row of a rule has no verb: the headings, and the line below them.
  return rows.map(ruleOfRow).filter((rule) => rule !== undefined);
}

function ruleOfRow(row: string): string | undefined {
  const [group = '', resources = '', resourceNames = '', verbs = ''] = row.split('|').slice(1);
  const named = wordsOf(resourceNames);
  if (wordsOf(verbs).length === 0) return undefined;
  return lineOf({
    apiGroups: group.trim() === 'core' ? [''] : wordsOf(group),
    resources: wordsOf(resources),
    verbs: wordsOf(verbs),
    ...(named.length > 0 ? { resourceNames: named } : {}),
  });
}

function wordsOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}

function lineOf({ apiGroups, resources, resourceNames = ['any'], verbs }: PolicyRule): string {
  return [apiGroups, resources, resourceNames, verbs]
    .map((words) => words.toSorted().join(', '))
    .join(' | ');
}

describe('SECURITY.md', () => {
  it('lists every rule of the operator’s Role, and no other', () => {
    expect(documented('operatorRules').toSorted()).toEqual(operatorRules.map(lineOf).toSorted());
  });

  it.each([
    ['pullRole', pullRoleOf],
    ['pushRole', pushRoleOf],
    ['execRole', execRoleOf],
  ])('lists every rule of the %s for clients, and no other', (name, roleOf) => {
    const { rules } = roleOf({ metadata: { name: 'NAME', namespace: 'ci' } });
    expect(documented(name).toSorted()).toEqual(rules.map(lineOf).toSorted());
  });
});
