import type { StepTask, TaskStep } from './task.ts';

/** A StepAction, as far as it is generated. */
export interface StepAction {
  readonly apiVersion: 'tekton.dev/v1beta1';
  readonly kind: 'StepAction';
  readonly metadata: StepTask['metadata'];
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Which steps are of use in somebody else's Task, and what they are called then. */
export const stepActions = [
  { task: 'reposure-push', step: 'use-source', name: 'reposure-use-artifact' },
  { task: 'reposure-pull', step: 'create-artifact', name: 'reposure-create-artifact' },
  { task: 'reposure-push', step: 'push', name: 'reposure-push' },
  { task: 'reposure-copy', step: 'copy', name: 'reposure-copy' },
  { task: 'reposure-deploy', step: 'deploy', name: 'reposure-deploy' },
] as const;

/** What a StepAction has as a param, because it has no workspaces, results of Tasks and volumes. */
const paths: readonly {
  readonly text: string;
  readonly param: string;
  readonly description: string;
}[] = [
  { text: '/var/workdir/source', param: 'DIRECTORY', description: 'The folder with the files' },
  {
    text: '$(workspaces.source.path)',
    param: 'FALLBACK',
    description: 'Where no artifact is named, DIRECTORY becomes a link to this folder',
  },
  {
    text: '$(workspaces.dockerconfig.path)',
    param: 'DOCKERCONFIG',
    description: 'A folder with config.json or .dockerconfigjson',
  },
  {
    text: '$(workspaces.ssl-ca-directory.path)',
    param: 'SSL_CA_DIRECTORY',
    description: 'A folder with CA certificates',
  },
  {
    text: '$(workspaces.kubeconfig.path)',
    param: 'KUBECONFIG',
    description: 'A folder with the file kubeconfig',
  },
];

/** Makes a StepAction of one step of a Task. */
export function stepActionOf(task: StepTask, stepName: string, name: string): StepAction {
  const { spec, metadata } = task;
  const step = spec.steps.find((each) => each.name === stepName);
  if (!step) throw new Error(`Task ${metadata.name} has no step ${stepName}`);
  const args = argsOf(step);
  const used = (text: string): boolean => args.some((word) => word.includes(text));
  const params = [
    ...paths.filter(({ param }) => used(`$(params.${param})`)).map(paramOf),
    ...(spec.params ?? []).filter(
      (param) => used(`$(params.${param.name})`) || used(`$(params.${param.name}[*])`),
    ),
  ];
  const results = (spec.results ?? []).filter((result) =>
    used(`$(step.results.${result.name}.path)`),
  );
  const { securityContext, image } = { ...spec.stepTemplate, ...step };
  return {
    apiVersion: 'tekton.dev/v1beta1',
    kind: 'StepAction',
    metadata: { ...metadata, name },
    spec: {
      description: `The step ${stepName} of the Task ${metadata.name}.`,
      params,
      ...(results.length > 0 ? { results } : {}),
      image,
      command: step.command,
      args,
      // Without the volume for it, /tmp has to be writable.
      securityContext: { ...securityContext, readOnlyRootFilesystem: false },
    },
  };
}

function paramOf({ param, description }: (typeof paths)[number]): object {
  const declared = { name: param, description };
  return param === 'DIRECTORY' ? declared : { ...declared, default: '' };
}

function argsOf({ args = [] }: TaskStep): string[] {
  return (
    args
      // What a later step of the same Task writes.
      .filter((word) => !word.startsWith('--empty-result='))
      .map((word) =>
        paths.reduce((all, { text, param }) => all.replaceAll(text, `$(params.${param})`), word),
      )
      .map((word) => word.replaceAll('$(results.', '$(step.results.'))
  );
}
