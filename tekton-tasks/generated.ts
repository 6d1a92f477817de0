import { stringify } from 'yaml';

import { readmeOf } from './readme.ts';
import { stepActionOf, stepActions } from './step-actions.ts';
import { readStepTask, taskNames, textOf } from './task.ts';

/** Every file below `tekton-tasks/` that is made of others, by its path there. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const name of taskNames()) {
    const usage = textOf(`task/${name}/usage.md`);
    const sample = textOf(`task/${name}/samples/${name}.yaml`);
    files.set(`task/${name}/README.md`, readmeOf(readStepTask(name), usage, sample));
  }
  for (const { task, step, name } of stepActions) {
    const action = stepActionOf(readStepTask(task), step, name);
    const yaml = stringify(action, {
      version: '1.1',
      singleQuote: true,
      aliasDuplicateObjects: false,
      lineWidth: 0,
    });
    files.set(
      `stepaction/${name}/${name}.yaml`,
      `# Made by \`npm run docs\` of the Task ${task}.\n${yaml}`,
    );
  }
  return files;
}
