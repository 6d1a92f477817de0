import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { version } from '@reposure/core';
import { names } from '@reposure/core/resource';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { readExamples } from '../test/support/tekton/examples.ts';
import { triggered } from '../test/support/tekton/triggers.ts';
import { hasTool } from '../test/support/tools.ts';
import { lint, lintCalls } from './lint.ts';
import type { Resource } from './lint.ts';
import { readStepTask, readYaml, taskNames } from './task.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const schemas: Readonly<Record<string, string>> = {
  Task: 'task_v1',
  StepAction: 'stepaction_v1beta1',
  Pipeline: 'pipeline_v1',
  TaskRun: 'taskrun_v1',
  PipelineRun: 'pipelinerun_v1',
};
const resources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^(?:task|stepaction|pipeline)\/.*\.yaml$/.test(path))
  .toSorted();

/** Formats are Kubernetes' own (int32, int64), and say nothing more than the types do. */
const ajv = new Ajv({ strict: false, validateFormats: false });

const validators = new Map(
  Object.entries(schemas).map(([kind, file]) => {
    const schema = JSON.parse(readFileSync(`${folder}schemas/${file}.json`, 'utf8')) as object;
    return [kind, ajv.compile(schema)];
  }),
);

function problemsOf(resource: Resource): string[] {
  const validate = validators.get(resource.kind);
  if (!validate) return [`no schema for ${resource.kind}`];
  if (validate(resource)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe('tekton-tasks/', () => {
  it.each(resources)('%s is what its schema and the linter want', (path) => {
    const resource = readYaml(path) as Resource;
    expect(problemsOf(resource)).toEqual([]);
    expect(lint(resource)).toEqual([]);
    expect(lintCalls(resource, readStepTask)).toEqual([]);
  });

  it.each(taskNames())('%s runs our image, at one place, with its version', (name) => {
    const text = readFileSync(`${folder}task/${name}/${name}.yaml`, 'utf8');
    expect(text.split(`\n    image: ${names.image(version)}\n`)).toHaveLength(2);
    expect(text).toContain(`app.kubernetes.io/version: '${version}'`);
  });

  it('a kustomization that has all of them', () => {
    const listed = (readYaml('kustomization.yaml') as { resources: string[] }).resources;
    const all = resources.filter((path) => !path.includes('/samples/'));
    expect(listed.toSorted()).toEqual(all);
  });

  it.skipIf(!hasTool('kubectl'))('a kustomization that changes every image of ours', () => {
    const built = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
    expect(built.split(`image: ${names.image(version)}`).length).toBeGreaterThan(9);
  });
});

describe('examples/pipelines/tekton/', () => {
  const body = { artifact: `oci:registry.test/source@sha256:${'0'.repeat(64)}`, version: '1.2.3' };
  const files = ['install.yaml', 'release.yaml', 'promote.yaml', 'promote-to-prod.yaml'];
  const shown = [
    ...files.flatMap((file) => readExamples(file).map((each) => [file, each] as const)),
    ...triggered('triggers.yaml', body).map((each) => ['what triggers.yaml makes', each] as const),
  ] as (readonly [string, Resource])[];

  it.each(shown)('%s is what its schema and the linter want', (_, resource) => {
    expect(problemsOf(resource)).toEqual([]);
    expect(lint(resource)).toEqual([]);
    expect(lintCalls(resource, readStepTask)).toEqual([]);
  });
});

const step = { name: 'a', image: 'b', command: ['c'] };
const task = (spec: object): Resource => ({
  kind: 'Task',
  metadata: { name: 't' },
  spec: { steps: [step], ...spec },
});

describe('lint()', () => {
  it.each([
    ['a param', { steps: [{ ...step, args: ['$(params.X)'] }] }, /params\.X is not defined/],
    [
      'a workspace',
      { steps: [{ ...step, args: ['$(workspaces.x.path)'] }] },
      /workspaces\.x is not/,
    ],
    [
      'a result',
      { steps: [{ ...step, args: ['$(results.X.path)'] }] },
      /results\.X is not defined/,
    ],
    [
      'an array inside of a word',
      {
        params: [{ name: 'X', type: 'array' }],
        steps: [{ ...step, args: ['--x=$(params.X[*])'] }],
      },
      /X is no word of its own/,
    ],
    [
      'an array in a variable',
      {
        params: [{ name: 'X', type: 'array' }],
        steps: [{ ...step, env: [{ name: 'A', value: '$(params.X[*])' }] }],
      },
      /X is no word of its own/,
    ],
    [
      'a text as an array',
      { params: [{ name: 'X' }], steps: [{ ...step, args: ['$(params.X[*])'] }] },
      /X is no array/,
    ],
    ['a result that nobody writes', { results: [{ name: 'X' }] }, /result X is never written/],
    [
      'a script with a param',
      { params: [{ name: 'X' }], steps: [{ name: 'a', image: 'b', script: 'echo $(params.X)' }] },
      /script written by whoever starts it/,
    ],
    ['no command', { steps: [{ name: 'a', image: 'b' }] }, /step a has no command/],
    ['no name', { steps: [{ image: 'b', command: ['c'] }] }, /without a name/],
    [
      'mounts of a StepAction',
      { steps: [{ name: 'a', ref: { name: 'x' }, volumeMounts: [] }] },
      /ref and/,
    ],
  ])('finds %s', (_, spec, message) => {
    expect(lint(task(spec)).join('\n')).toMatch(message);
  });

  it.each([
    ['a param that is missing', { params: [] }, /a is not given X/],
    [
      'a param that is none',
      {
        params: [
          { name: 'X', value: 'x' },
          { name: 'Y', value: '' },
        ],
      },
      /a has no param Y/,
    ],
    [
      'a text for an array',
      {
        params: [
          { name: 'X', value: 'x' },
          { name: 'Z', value: '' },
        ],
      },
      /a wants Z as an array/,
    ],
    [
      'a workspace that is none',
      { params: [{ name: 'X', value: 'x' }], workspaces: [{ name: 'w' }] },
      /a has no workspace w/,
    ],
    [
      'a result that is none',
      { params: [{ name: 'X', value: '$(tasks.a.results.R)' }] },
      /tasks\.a has no result R/,
    ],
  ])('finds %s between a Pipeline and its Task', (_, call, message) => {
    const params = [{ name: 'X' }, { name: 'Z', type: 'array', default: [] }];
    const spec = { tasks: [{ name: 'a', ...call }] };
    const problems = lintCalls({ kind: 'Pipeline', metadata: { name: 'p' }, spec }, () => ({
      spec: { params },
    }));
    expect(problems.join('\n')).toMatch(message);
  });

  it('finds a result of a step that nobody writes', () => {
    const steps = [{ ...step, results: [{ name: 'X' }] }];
    expect(lint(task({ steps })).join()).toMatch(/result X is never written/);
  });

  it('reads YAML as Kubernetes does: on is a boolean', () => {
    const text =
      'kind: Task\napiVersion: tekton.dev/v1\nmetadata: {name: t}\nspec: {params: [{name: on}]}';
    expect(problemsOf(parse(text, { version: '1.1' }) as Resource).join()).toMatch(
      /must be string/,
    );
  });
});
