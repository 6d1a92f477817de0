import { RegistrySpec, RegistryStatus } from '@reposure/core/resource';

import { madeByDocs } from './command-pages.ts';
import { schemaTable } from './schema-table.ts';

/** The custom resource. */
export function resourcePage(): string {
  const parts = [
    '# The Registry resource',
    madeByDocs,
    '`registries.reposure.puccini.cloud/v1alpha1`, short name `reg`, namespaced. `reposure registry create` makes one; so does a manifest:',
    `\`\`\`yaml\n${example}\n\`\`\``,
    '[Registries](../registries.md) says what the fields are for, [troubleshooting](../troubleshooting.md#conditions-of-a-registry) what the conditions mean. A field with `?` may be missing.',
    '## spec',
    schemaTable(RegistrySpec),
    '## status',
    schemaTable(RegistryStatus),
  ];
  return `${parts.join('\n\n')}\n`;
}

const example = `apiVersion: reposure.puccini.cloud/v1alpha1
kind: Registry
metadata:
  name: team
spec:
  direct:
    host: registry.example.com
  tlsSecret: registry-ca
  loginSecret: registry-login`;
