import { rm } from 'node:fs/promises';

import * as runner from '@actions/core';

import { fail } from './fail.ts';

/** What `main` handed on by its name, '' if nothing. */
export type State = (name: string) => string;

/**
 * Runs an action's `post`: removes what `main` left for the steps behind it, or could not remove
 * because the runner killed it, 10 s after a job is cancelled.
 *
 * @param cleanUp Goes first: it may need what is in the step's folder.
 */
export async function runPost(cleanUp?: (state: State) => Promise<void>): Promise<void> {
  process.on('uncaughtException', (error) => fail(error));
  const folder = runner.getState('folder');
  if (!folder) return;
  try {
    await cleanUp?.((name) => runner.getState(name));
  } catch (error) {
    fail(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
