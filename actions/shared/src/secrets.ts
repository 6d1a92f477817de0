import * as runner from '@actions/core';

const masked = new Set<string>();

/** Shorter ones are no secrets, and stand in every other word. */
const shortestLength = 4;

/**
 * Keeps a secret out of the log: the runner hides it from here on, and so do we, for a runner that
 * does not, and for what never goes through it.
 */
export function mask(secret: string): void {
  const text = secret.trim();
  if (text === '' || masked.has(text)) return;
  masked.add(text);
  runner.setSecret(text);
}

/** The text, without what was masked so far. */
export function redacted(text: string): string {
  let said = text;
  // The longest first: a secret may be part of another.
  for (const secret of [...masked].toSorted((a, b) => b.length - a.length)) {
    if (secret.length >= shortestLength) said = said.replaceAll(secret, '***');
  }
  return said;
}

/** What begins like a credential that somebody issues, or is three parts of a JWT. */
const issued =
  /^(?:gh[opsur]_|github_pat_|glpat-|dckr_pat_|xox[abprs]-|sk-|AKIA|ASIA|npm_|eyJ[\w-]+\.)/;

/** Whether a text looks like a credential, so that it must not be sent on, shown or made a name. */
export function isLikelySecret(text: string): boolean {
  return likelySecretsIn(text).length > 0;
}

/** The parts of a text that look like a credential. */
export function likelySecretsIn(text: string): string[] {
  return text.split(/[/:@=]/).filter((part) => issued.test(part));
}
