import type { Command } from 'commander';

/** The options of every command that can wait for what it asked for. */
export interface WaitFlags {
  readonly wait?: boolean;
  /** As {@link parseDurationMs} takes it. */
  readonly timeout: string;
}

/** Adds them. @param until What is then so: "it works". */
export function withWaitOptions(command: Command, until: string): Command {
  return command
    .option('-w, --wait', `return only when ${until}`)
    .option('--timeout <duration>', 'how long to wait, e.g. 90s or 5m', '2m');
}
