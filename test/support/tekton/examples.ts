import { readFileSync } from 'node:fs';

import { parseAllDocuments } from 'yaml';

import type { Pipeline, PipelineRun } from './resources.ts';

/** Everything in a file of `examples/pipelines/tekton/`, as Kubernetes reads YAML. */
export function readExamples(name: string): unknown[] {
  const file = new URL(`../../../examples/pipelines/tekton/${name}`, import.meta.url);
  const documents = parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' });
  return [...documents].map((document) => document.toJS() as unknown);
}

/** The Pipeline in such a file. */
export function readExample(name: string): Pipeline {
  return readExamples(name)[0] as Pipeline;
}

/** The PipelineRun in such a file. */
export function readExampleRun(name: string): PipelineRun {
  return readExamples(name)[0] as PipelineRun;
}
