import * as z from 'zod';

import { registryResource, RegistrySpec, RegistryStatus } from './registry.ts';

/** The definition of a custom resource, as the API takes it. */
export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string; labels: Record<string, string> };
  spec: Record<string, unknown>;
  [field: string]: unknown;
}

/**
 * One place to find the registry: a host, or a Service, or a provider that finds its own.
 *
 * Only `has`, `&&`, `||`, `!` and parentheses: the embedded cluster evaluates no more of CEL.
 */
const onePlace = {
  rule: '(has(self.direct) || has(self.indirect) || has(self.provider)) && !(has(self.direct) && has(self.indirect))',
  message: 'want exactly one of direct and indirect, or a provider that finds its own registry',
};

const printerColumns = [
  { name: 'Provider', type: 'string', jsonPath: '.status.provider' },
  { name: 'Push-Host', type: 'string', jsonPath: '.status.pushHost' },
  { name: 'Pull-Host', type: 'string', jsonPath: '.status.pullHost' },
  { name: 'Ready', type: 'string', jsonPath: conditionPath('status') },
  { name: 'Reason', type: 'string', jsonPath: conditionPath('reason') },
  { name: 'Surrogates', type: 'integer', jsonPath: '.status.readyReplicas', priority: 1 },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

/** The definition of Registry: its schema is made from the zod one, so that they cannot differ. */
export function registryCrd(): CustomResourceDefinition {
  const { group, version, kind, plural, singular, shortName } = registryResource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: {
        'app.kubernetes.io/name': 'reposure',
        'app.kubernetes.io/part-of': 'reposure',
        'app.kubernetes.io/managed-by': 'reposure',
      },
    },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName] },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: openApiSchema() },
          subresources: { status: {} },
          additionalPrinterColumns: printerColumns,
        },
      ],
    },
  };
}

function conditionPath(field: string): string {
  return `.status.conditions[?(@.type=="Ready")].${field}`;
}

function openApiSchema(): Record<string, unknown> {
  return {
    type: 'object',
    description: 'A container image registry, and how to get images in and out of it',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { ...schemaOf(RegistrySpec), 'x-kubernetes-validations': [onePlace] },
      status: schemaOf(RegistryStatus),
    },
  };
}

/** What a structural schema accepts: `io: input` leaves out `additionalProperties`, and required defaults. */
function schemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...structural } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) => {
      // The bounds of JavaScript's integers mean nothing to the API.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return structural;
}
