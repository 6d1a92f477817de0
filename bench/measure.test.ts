import { describe, expect, it } from 'vitest';

import { measure } from './measure.ts';

const isLinux = process.platform === 'linux';
const node = (script: string): readonly string[] => [process.execPath, '-e', script];

describe.skipIf(!isLinux)('measure()', () => {
  it('counts what a child of the program used, and the memory that it held', async () => {
    const child = `
      Buffer.alloc(60e6, 1);
      for (let used = 0; used < 300e3;) {
        const { user, system } = process.cpuUsage();
        used = user + system;
      }`;
    const script = `child_process.execFileSync(process.execPath, ['-e', ${JSON.stringify(child)}])`;
    const { cpuSeconds, machineCpuSeconds, peakBytes, seconds } = await measure({
      words: node(script),
    });
    expect(cpuSeconds).toBeGreaterThanOrEqual(0.3);
    expect(machineCpuSeconds).toBeGreaterThanOrEqual(0.3);
    expect(peakBytes).toBeGreaterThan(60e6);
    expect(seconds).toBeGreaterThan(0.3);
  });

  it('hands over a file as standard input, and the environment', async () => {
    const script = `if (fs.readFileSync(0, 'utf8') !== fs.readFileSync(process.env.GIVEN, 'utf8')) process.exit(3)`;
    const file = import.meta.filename;
    const words = node(script);
    await expect(measure({ words, stdin: file, env: { GIVEN: file } })).resolves.toBeDefined();
    await expect(measure({ words, env: { GIVEN: file } })).rejects.toThrow(/ended with 3/);
  });

  it('fails with what a program said that failed', async () => {
    const words = node(`console.error('no such thing'); process.exit(4)`);
    await expect(measure({ words })).rejects.toThrow(/ended with 4: no such thing/);
  });
});
