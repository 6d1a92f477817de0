import { execFileSync } from 'node:child_process';

import { describe, expect, it } from 'vitest';

const builtInClient = 'NativeModule internal/deps/undici/undici';

/** Whether a process that runs `code` loads the HTTP client that is built into Node. */
function loadsClient(code: string): boolean {
  const script = `${code}; console.log(process.moduleLoadList.includes('${builtInClient}'))`;
  const words = ['--input-type=module', '-e', script];
  const options = { cwd: import.meta.dirname, encoding: 'utf8' } as const;
  return execFileSync(process.execPath, words, options).trim() === 'true';
}

describe('node:http', () => {
  it('brings another HTTP client where it is imported, but not to who speaks to a cluster', () => {
    expect(loadsClient("await import('node:http')")).toBe(true);
    expect(loadsClient("await import('./kubernetes/index.ts')")).toBe(false);
    expect(loadsClient("await import('./surrogate/open-route.ts')")).toBe(false);
  });
});
