import { operatorRights, ruleOf } from './rights.ts';
import type { PolicyRule, RightScope } from './rights.ts';

/** The operator's rules that hold in some scopes, from the table in `rights.ts`. */
export function operatorRulesOf(...scopes: readonly RightScope[]): readonly PolicyRule[] {
  return operatorRights.filter(({ scope }) => scopes.includes(scope)).map(ruleOf);
}

/** The rules of an operator that serves its own namespace, in its Role there. */
export const operatorRules: readonly PolicyRule[] = operatorRulesOf('served', 'own');
