import { describe, expect, it } from 'vitest';

import { holdsOneImage, isSinkKind, parseLocation, sinkForms } from './location.ts';

describe('holdsOneImage()', () => {
  it.each([
    ['oci:DIR', false],
    ['oci-archive:FILE', false],
    ['docker-archive:FILE', true],
    ['docker-daemon:NAME', true],
    ['containers-storage:NAME', true],
  ])('says of %s: %s', (form, verdict) => {
    expect(sinkForms).toContain(form);
    const { kind } = parseLocation(form);
    expect(isSinkKind(kind)).toBe(true);
    expect(holdsOneImage(kind)).toBe(verdict);
  });

  it('knows every place that there is', () => {
    expect(sinkForms).toHaveLength(5);
    expect(isSinkKind(parseLocation('file:x').kind)).toBe(false);
    expect(isSinkKind(parseLocation('x').kind)).toBe(false);
  });
});
