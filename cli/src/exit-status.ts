/** A command that was run has ended so; it has said itself why. */
export class ExitStatusError extends Error {
  override readonly name = 'ExitStatusError';
  readonly status: number;

  constructor(status: number) {
    super(`Ended with status ${status}`);
    this.status = status;
  }
}
