import { manifests } from '../../actions/manifests.ts';
import { readStepTask, taskNames } from '../../tekton-tasks/task.ts';
import { commandIndex, globalOptions, madeByDocs } from './command-pages.ts';
import { tableOf } from './markdown.ts';

/** The first page of the reference. */
export async function referenceIndex(): Promise<string> {
  const actions = manifests.map(({ name, description }) => [
    `[actions/${name}](../../actions/${name}/README.md)`,
    description,
  ]);
  const tasks = taskNames().map((name) => [
    `[${name}](../../tekton-tasks/task/${name}/README.md)`,
    firstSentence(readStepTask(name).spec.description),
  ]);
  const parts = [
    '# Reference',
    madeByDocs,
    'Of every command, action and Task, what it takes and what it gives. It is made of the same definitions that they run by.',
    '## Commands',
    await commandIndex(),
    '## Options of every command',
    await globalOptions(),
    'Options may stand anywhere behind `reposure`. [What `-o json` prints](results.md).',
    '## Exit status',
    tableOf(['Status', ''], exitStatuses),
    '## The Registry resource',
    'Its [spec and status](registry-resource.md).',
    '## GitHub Actions',
    tableOf(['Action', ''], actions),
    '## Tekton',
    tableOf(['Task', ''], tasks),
  ];
  return `${parts.join('\n\n')}\n`;
}

const exitStatuses = [
  ['0', 'done: what was asked for is so; of a push, the registry itself has confirmed the digest'],
  [
    '1',
    'failed; standard error says what, and what to do ([troubleshooting](../troubleshooting.md))',
  ],
  ['2', 'wrong usage; nothing was done'],
  ['128 + N', 'ended by signal N, such as 130 for Ctrl-C'],
  ['any', 'of `reposure bridge exec`: that of its command'],
];

function firstSentence(text: string): string {
  return (
    text
      .trim()
      .replaceAll(/\s+/g, ' ')
      .split(/\. (?=[A-Z])/)[0]
      ?.replace(/\.$/, '') ?? ''
  );
}
