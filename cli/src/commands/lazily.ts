import type { Command } from 'commander';

/** An action that is loaded when it is run. */
export function lazily<Given extends readonly unknown[]>(
  load: () => Promise<(...given: Given) => Promise<void>>,
): (...given: Given) => Promise<void> {
  return async (...given) => {
    const action = await load();
    await action(...given);
  };
}

/** An action that is given the command, and loaded when it is run. */
export function withCommand(
  load: () => Promise<(command: Command) => Promise<void>>,
): (this: Command) => Promise<void> {
  const action = lazily(load);
  return async function act(this: Command) {
    await action(this);
  };
}
