import { tableOf } from '../docs/make/markdown.ts';
import type { StepTask } from './task.ts';

/**
 * The README of a Task, in the catalogue's order, of what its YAML says.
 *
 * @param usage Markdown for the last section: what a person has to know and YAML does not say.
 * @param sample A TaskRun.
 */
export function readmeOf({ metadata, spec }: StepTask, usage: string, sample: string): string {
  const { name, annotations } = metadata;
  const platforms = (annotations['tekton.dev/platforms'] ?? '').split(',');
  const params = (spec.params ?? []).map((each) => [
    code(each.name),
    each.description ?? '',
    each.default === undefined ? 'required' : code(JSON.stringify(each.default)),
  ]);
  const described = (list: typeof spec.results): string[][] =>
    (list ?? []).map((each) => [code(each.name), each.description ?? '']);
  const parts = [
    `# ${name}`,
    '<!-- Made by `npm run docs` of the YAML beside it, and of usage.md. -->',
    spec.description.trim(),
    `## Install the Task\n\n\`\`\`sh\nkubectl apply -f tekton-tasks/task/${name}/${name}.yaml\n\`\`\``,
    `## Parameters\n\n${tableOf(['Name', 'What it is', 'Default'], params)}`,
    ...(spec.results
      ? [`## Results\n\n${tableOf(['Name', 'What it is'], described(spec.results))}`]
      : []),
    `## Workspaces\n\nAll are optional.\n\n${tableOf(['Name', 'What it is'], described(spec.workspaces))}`,
    `## Platforms\n\n${platforms.map((platform) => code(platform)).join(', ')}`,
    `## Usage\n\n${usage.trim()}\n\n\`\`\`yaml\n${sample.trim()}\n\`\`\``,
  ];
  return `${parts.join('\n\n')}\n`;
}

function code(text: string): string {
  return `\`${text}\``;
}
