import { describe, expect, it } from 'vitest';

import { anchorsOf, blocksOf, codesOf, headingsOf, linksOf, sectionOf } from './markdown.ts';

const page = `# A \`b\` & [c](d.md)

See [x](y.md#z), ![p](q.svg) and \`[no](link)\`.

\`\`\`sh
# no heading, [no](link)
\`\`\`

## Same

one

### Inner

## Same

- in a list:

  \`\`\`yaml
  a:
    b
  \`\`\`
`;

describe('Markdown', () => {
  it('has blocks with their language, line and text', () => {
    expect(blocksOf(page)).toEqual([
      { language: 'sh', text: '# no heading, [no](link)\n', line: 6 },
      { language: 'yaml', text: 'a:\n  b\n', line: 20 },
    ]);
  });

  it('has links and codes, those in blocks left out', () => {
    expect(linksOf(page).map(({ text }) => text)).toEqual(['d.md', 'y.md#z', 'q.svg']);
    expect(codesOf(page).map(({ text }) => text)).toEqual(['b', '[no](link)']);
  });

  it('has headings, and the anchors that GitHub makes of them', () => {
    expect(headingsOf(page)).toEqual(['A b & c', 'Same', 'Inner', 'Same']);
    expect([...anchorsOf(page)]).toEqual(['a-b--c', 'same', 'inner', 'same-1']);
  });

  it('has sections with those inside of them', () => {
    expect(sectionOf(page, 'Same')).toBe('\none\n\n### Inner\n');
  });

  it('is refused where a block does not end', () => {
    expect(() => blocksOf('```sh\na\n')).toThrow('the block of line 1 is open');
  });
});
