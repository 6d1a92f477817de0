/** A signal that fires when the person or the runner wants the command to end. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  // Once: whoever sends a second one does not want to wait for the tidying up.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort(new InterruptedError(name)));
  }
  return controller.signal;
}

/** The command was told to end. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly signalName: 'SIGINT' | 'SIGTERM' | 'SIGHUP';

  /** @param state How things are left; of a transfer by default. */
  constructor(
    signalName: InterruptedError['signalName'],
    state = 'nothing half-done is visible, run it again',
  ) {
    super(`Interrupted by ${signalName}; ${state}`);
    this.signalName = signalName;
  }
}
