const steps: readonly {
  readonly belowSeconds: number;
  readonly say: (seconds: number) => string;
}[] = [
  { belowSeconds: 120, say: (s) => `${s}s` },
  { belowSeconds: 600, say: (s) => two(s, [60, 'm'], [1, 's']) },
  { belowSeconds: 3 * 3600, say: (s) => `${Math.floor(s / 60)}m` },
  { belowSeconds: 8 * 3600, say: (s) => two(s, [3600, 'h'], [60, 'm']) },
  { belowSeconds: 48 * 3600, say: (s) => `${Math.floor(s / 3600)}h` },
  { belowSeconds: 8 * 86_400, say: (s) => two(s, [86_400, 'd'], [3600, 'h']) },
  { belowSeconds: 730 * 86_400, say: (s) => `${Math.floor(s / 86_400)}d` },
  { belowSeconds: Infinity, say: (s) => two(s, [365 * 86_400, 'y'], [86_400, 'd']) },
];

type Unit = readonly [seconds: number, name: string];

function two(seconds: number, [big, bigName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)}${bigName}${rest > 0 ? `${rest}${smallName}` : ''}`;
}

/** How long ago a time was, as kubectl says it: `45s`, `5m10s`, `3h`, `12d`; `<unknown>` for none. */
export function ageOf(time: unknown, nowMs: number = Date.now()): string {
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) return '<unknown>';
  const seconds = Math.max(0, Math.floor((nowMs - at) / 1000));
  return steps.find(({ belowSeconds }) => seconds < belowSeconds)?.say(seconds) ?? '';
}
