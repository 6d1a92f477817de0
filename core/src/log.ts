/** Where a function says what it does; entry points decide what becomes of it. */
export interface Log {
  /** Detail for whoever looks for a fault. */
  debug(message: string): void;
  /** What a user wants to know while it happens. */
  info(message: string): void;
  /** What a user should act on, though the work goes on. */
  warn(message: string): void;
}

/** Says nothing. */
export const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
};
