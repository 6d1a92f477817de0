import { expect } from 'vitest';

import type { Task } from '../support/tekton/resources.ts';

/** What the StepAction deploys. */
export const settings = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n';
const directory = { name: 'DIRECTORY', value: '/var/workdir/source' };
const route = { name: 'ROUTE', value: '$(params.ROUTE)' };

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
      {
        name: 'files',
        ref: { name: 'reposure-use-artifact' },
        params: [directory, { name: 'FALLBACK', value: '$(workspaces.source.path)' }],
      },
      {
        name: 'absent',
        ref: { name: 'reposure-push' },
        onError: 'continue',
        params: [
          directory,
          route,
          { name: 'IMAGE', value: 'team/steps:1' },
          { name: 'SOURCE', value: 'none.tar' },
        ],
      },
      {
        name: 'push',
        ref: { name: 'reposure-push' },
        params: [
          directory,
          route,
          { name: 'IMAGE', value: 'team/steps:1' },
          { name: 'SOURCE', value: 'app.tar' },
          { name: 'TAGS', value: [] },
        ],
      },
      {
        name: 'copy',
        ref: { name: 'reposure-copy' },
        params: [
          route,
          { name: 'SOURCE_IMAGE', value: 'team/steps:1' },
          { name: 'IMAGE', value: 'team/steps:prod' },
          { name: 'DIGEST', value: '$(steps.push.results.IMAGE_DIGEST)' },
        ],
      },
      {
        name: 'keep',
        ref: { name: 'reposure-create-artifact' },
        params: [
          directory,
          route,
          { name: 'TARGET', value: 'hello.txt' },
          { name: 'ARTIFACT_IMAGE', value: 'team/steps-files:1' },
        ],
      },
      {
        name: 'deploy',
        ref: { name: 'reposure-deploy' },
        params: [
          directory,
          { name: 'MANIFESTS', value: 'settings.yaml' },
          { name: 'IMAGES', value: [] },
        ],
      },
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
