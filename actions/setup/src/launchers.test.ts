import { describe, expect, it } from 'vitest';

import { cmdLauncher, shLauncher } from './launchers.ts';

describe('launchers', () => {
  it('take paths with quotes, spaces and percent signs as they are', () => {
    const program = { node: "/it's/node 24", script: '/a/reposure.js' };
    expect(shLauncher(program)).toBe(`#!/bin/sh\nexec '/it'\\''s/node 24' '/a/reposure.js' "$@"\n`);
    const windows = { node: 'C:\\a b\\node.exe', script: 'D:\\100%\\reposure.js' };
    expect(cmdLauncher(windows)).toBe('@"C:\\a b\\node.exe" "D:\\100%%\\reposure.js" %*\r\n');
  });
});
