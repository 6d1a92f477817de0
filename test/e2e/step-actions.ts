import { expect } from 'vitest';

import type { Task } from '../support/tekton/resources.ts';

/** What the StepAction deploys. */
export const settings = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n';
const directory = { DIRECTORY: '/var/workdir/source' };
const route = { ROUTE: '$(params.ROUTE)' };

/** Somebody's Task, of our StepActions. */
export const stepActionTask: Task = {
  apiVersion: 'tekton.dev/v1',
  kind: 'Task',
  metadata: { name: 'step-actions' },
  spec: {
    params: [{ name: 'ROUTE' }],
    workspaces: [{ name: 'source', readOnly: true }],
    results: [
      { name: 'NOTHING', value: '$(steps.absent.results.IMAGE_DIGEST)' },
      { name: 'DIGEST', value: '$(steps.push.results.IMAGE_DIGEST)' },
      { name: 'PROMOTED', value: '$(steps.copy.results.IMAGE_REF)' },
      { name: 'FILES', value: '$(steps.keep.results.SOURCE_ARTIFACT)' },
      { name: 'CHANGES', value: '$(steps.deploy.results.CHANGES)' },
    ],
    stepTemplate: { volumeMounts: [{ name: 'workdir', mountPath: '/var/workdir' }] },
    steps: [
      step('files', 'reposure-use-artifact', {
        ...directory,
        FALLBACK: '$(workspaces.source.path)',
      }),
      {
        ...step('absent', 'reposure-push', {
          ...directory,
          ...route,
          IMAGE: 'team/steps:1',
          SOURCE: 'none.tar',
        }),
        onError: 'continue',
      },
      step('push', 'reposure-push', {
        ...directory,
        ...route,
        IMAGE: 'team/steps:1',
        SOURCE: 'app.tar',
        TAGS: [],
      }),
      step('copy', 'reposure-copy', {
        ...route,
        SOURCE_IMAGE: 'team/steps:1',
        IMAGE: 'team/steps:prod',
        DIGEST: '$(steps.push.results.IMAGE_DIGEST)',
      }),
      step('keep', 'reposure-create-artifact', {
        ...directory,
        ...route,
        TARGET: 'hello.txt',
        ARTIFACT_IMAGE: 'team/steps-files:1',
      }),
      step('deploy', 'reposure-deploy', {
        ...directory,
        MANIFESTS: 'settings.yaml',
        IMAGES: [],
      }),
    ],
    volumes: [{ name: 'workdir', emptyDir: {} }],
  },
};

/** What a TaskRun of it has to hand on. @param digest Of `app.tar`, which it pushes. */
export function stepActionResults(digest: string): Readonly<Record<string, unknown>> {
  return {
    NOTHING: '',
    DIGEST: digest,
    PROMOTED: expect.stringMatching(new RegExp(`/team/steps@${digest}$`)),
    FILES: expect.stringMatching(/^oci:[^\n]+\/team\/steps-files@sha256:[0-9a-f]{64}$/),
    CHANGES: '1',
  };
}

/** A step that is a StepAction. */
function step(name: string, action: string, values: Readonly<Record<string, string | string[]>>) {
  const params = Object.entries(values).map(([param, value]) => ({ name: param, value }));
  return { name, ref: { name: action }, params };
}
