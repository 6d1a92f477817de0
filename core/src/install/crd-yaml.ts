import { stringify } from 'yaml';

import { registryCrd } from '../resource/index.ts';

/** The definition of Registry, for `kubectl apply -f`. */
export function registryCrdYaml(): string {
  return `# Made by operator/crd/generate.ts from core/src/resource: do not edit.\n${stringify(registryCrd(), { lineWidth: 0, singleQuote: true })}`;
}
