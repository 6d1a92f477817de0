import { execFileSync } from 'node:child_process';

import { expect, it } from 'vitest';

/** The built-in modules that a process has loaded when it could push by the route `direct`. */
function loadedForPush(): readonly string[] {
  const script = `
    await import('./image/push.ts');
    await import('../../core/src/surrogate/direct-route.ts');
    console.log(process.moduleLoadList.join('\\n'));
  `;
  const words = ['--input-type=module', '--eval', script];
  const printed = execFileSync(process.execPath, words, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  return printed.split('\n').map((line) => line.replace('NativeModule ', ''));
}

// Each takes longer to load than an image that has not changed takes to be looked at.
it('a push loads neither another HTTP client nor web streams nor HTTP/2', () => {
  const loaded = loadedForPush();
  expect(loaded).toContain('zlib');
  for (const name of ['internal/deps/undici/undici', 'stream/web', 'http2']) {
    expect(loaded).not.toContain(name);
  }
});
