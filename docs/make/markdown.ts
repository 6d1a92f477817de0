/** A fenced block of a Markdown document. */
export interface Block {
  /** `sh`, `yaml`, …; empty if it says none. */
  readonly language: string;
  readonly text: string;
  /** Of its first line of text, from 1 on. */
  readonly line: number;
}

/** Something on one line of a document. */
export interface Located {
  readonly text: string;
  readonly line: number;
}

/** The fenced blocks of a document, without the indentation that a list gives them. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', fence, language = ''] =
      /^(\s*)(`{3,}|~{3,})\s*(\S*)/.exec(lines[at] ?? '') ?? [];
    if (fence === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === fence);
    if (end < 0) throw new SyntaxError(`Cannot read Markdown: the block of line ${at + 1} is open`);
    const text = lines.slice(at + 1, end).map((line) => line.replace(indent, ''));
    blocks.push({ language, text: `${text.join('\n')}\n`, line: at + 2 });
    at = end;
  }
  return blocks;
}

/** What is written as code inside of a line. */
export function codesOf(markdown: string): Located[] {
  return linesOf(markdown).flatMap(({ text, line }) =>
    [...text.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, code = '']) => ({ text: code, line })),
  );
}

/** Where the links and pictures of a document lead. */
export function linksOf(markdown: string): Located[] {
  return linesOf(markdown).flatMap(({ text, line }) =>
    [...text.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(<?([^)\s>]+)|^\[[^\]]+\]:\s*(\S+)/g)].map(
      ([, inline, referred]) => ({ text: inline ?? referred ?? '', line }),
    ),
  );
}

/** The text under a heading, up to the next one of the same level or above. */
export function sectionOf(markdown: string, heading: string): string {
  const lines = linesOf(markdown);
  const start = lines.find(({ text }) => /^#+ /.test(text) && titleOf(text) === heading);
  if (start === undefined) throw new RangeError(`Cannot find the heading "${heading}"`);
  const level = levelOf(start.text);
  const end = lines.find(
    ({ text, line }) => line > start.line && levelOf(text) > 0 && levelOf(text) <= level,
  );
  return markdown
    .split('\n')
    .slice(start.line, end && end.line - 1)
    .join('\n');
}

/** The titles of a document's headings of one level, or of every level. */
export function headingsOf(markdown: string, level?: number): string[] {
  return linesOf(markdown)
    .filter(({ text }) => (level === undefined ? levelOf(text) > 0 : levelOf(text) === level))
    .map(({ text }) => titleOf(text));
}

/**
 * The anchors that GitHub gives to headings.
 *
 * @see https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
 */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const title of headingsOf(markdown)) {
    const slug = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Lays out a table as the formatter does. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, at) => Math.max(3, ...cells.map((row) => (row[at] ?? '').length)));
  const lineOf = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const [first = [], ...others] = cells;
  return [first, widths.map((width) => '-'.repeat(width)), ...others].map(lineOf).join('\n');
}

/** The lines outside of fenced blocks. */
function linesOf(markdown: string): Located[] {
  let fence: string | undefined;
  return markdown.split('\n').flatMap((text, index) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(text)?.[1];
    const isInside = fence !== undefined;
    if (isInside && text.trim() === fence) fence = undefined;
    else if (!isInside) fence = mark;
    return isInside || mark !== undefined ? [] : [{ text, line: index + 1 }];
  });
}

function levelOf(line: string): number {
  return /^(#{1,6}) /.exec(line)?.[1]?.length ?? 0;
}

function titleOf(line: string): string {
  return line
    .replace(/^#+ /, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .trim();
}
