import { describe, expect, it } from 'vitest';

import { parseChallenges } from './challenge.ts';

describe('parseChallenges()', () => {
  it('reads the challenge of Distribution', () => {
    const header =
      'Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull,push"';
    expect(parseChallenges(header)).toEqual([
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.example.com/token',
          service: 'registry.example.com',
          scope: 'repository:a/b:pull,push',
        },
      },
    ]);
  });

  it('tells several challenges of one header apart', () => {
    const header =
      'Basic realm="a, b=\\"c\\"", charset="UTF-8", Negotiate, Bearer REALM=x , error=y';
    expect(parseChallenges(header)).toEqual([
      { scheme: 'basic', parameters: { realm: 'a, b="c"', charset: 'UTF-8' } },
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'bearer', parameters: { realm: 'x', error: 'y' } },
    ]);
  });

  it('reads past a challenge with a token of its own', () => {
    const [first, second] = parseChallenges('Negotiate YIIabc==, Basic realm="r"');
    expect(first).toEqual({ scheme: 'negotiate', parameters: {} });
    expect(second).toEqual({ scheme: 'basic', parameters: { realm: 'r' } });
  });

  it.each([[undefined], [''], ['"'], ['=x'], ['a="b"']])('finds none in %j', (header) => {
    expect(parseChallenges(header)).toEqual([]);
  });

  it('is not slowed down by a header made for it', () => {
    expect(parseChallenges(`Bearer realm="${'\\'.repeat(50_000)}`)).toHaveLength(1);
    expect(parseChallenges(`Basic ${'a/'.repeat(50_000)}"`).length).toBeLessThan(3);
  });
});
