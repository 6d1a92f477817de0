/** Lines around a change. */
const context = 3;
/** Beyond this many pairs of lines, the changed middle is shown as a whole. */
const maxPairs = 4_000_000;

type Line = readonly [sign: ' ' | '-' | '+', text: string];

/**
 * What changes from one text to another, line by line, as `diff -u` shows it without its header.
 *
 * @returns Empty if nothing changes.
 */
export function diffOf(before: string, after: string): string {
  if (before === after) return '';
  const [a, b] = [linesOf(before), linesOf(after)];
  const start = commonStart(a, b);
  const end = commonStart(a.slice(start).toReversed(), b.slice(start).toReversed());
  const head: Line[] = a.slice(0, start).map((text) => [' ', text]);
  const tail: Line[] = a.slice(a.length - end).map((text) => [' ', text]);
  const middle = changes(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return shown([...head, ...middle, ...tail]);
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  const first = a.findIndex((line, index) => line !== b[index]);
  return first === -1 ? Math.min(a.length, b.length) : first;
}

const removed = (text: string): Line => ['-', text];
const added = (text: string): Line => ['+', text];

/** By the longest common subsequence. */
function changes(a: readonly string[], b: readonly string[]): Line[] {
  if (a.length * b.length > maxPairs) return [...a.map(removed), ...b.map(added)];
  const lengths = commonLengths(a, b);
  const at = (i: number, j: number): number => lengths[i * (b.length + 1) + j] ?? 0;
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [left = '', right = ''] = [a[i], b[j]];
    if (left === right) {
      lines.push([' ', left]);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      lines.push(removed(left));
      i += 1;
    } else {
      lines.push(added(right));
      j += 1;
    }
  }
  return [...lines, ...a.slice(i).map(removed), ...b.slice(j).map(added)];
}

function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const below = (i + 1) * width + j;
      lengths[i * width + j] =
        a[i] === b[j]
          ? (lengths[below + 1] ?? 0) + 1
          : Math.max(lengths[below] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  return lengths;
}

/** The changes with what is around them; what lies between is left out, and said to be. */
function shown(lines: readonly Line[]): string {
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(([sign]) => sign !== ' '),
  );
  return lines
    .flatMap(([sign, text], index) => {
      if (isNear[index]) return [`${sign} ${text}`];
      return isNear[index - 1] ? ['  …'] : [];
    })
    .join('\n');
}
