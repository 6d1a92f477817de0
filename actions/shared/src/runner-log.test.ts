import { describe, expect, it } from 'vitest';

import { plainLine } from './runner-log.ts';

describe('plainLine()', () => {
  it.each([
    ['a line as it is', 'Pushing app.tar by exec', 'Pushing app.tar by exec'],
    ['an indented line as it is', '    image: app', '    image: app'],
    ['a command in a later line', 'denied:\r\n  ::stop-commands::x', 'denied: ::stop-commands::x'],
    ['a command at the start', ' ::add-mask::e', ': :add-mask::e'],
    ['a command of the old form', 'denied ##[add-mask]e', 'denied ## [add-mask]e'],
  ])('makes of %s what is no command', (_, message, line) => {
    expect(plainLine(message)).toBe(line);
  });
});
