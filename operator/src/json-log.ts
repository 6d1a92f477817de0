import type { Log } from '@reposure/core';
import { destination, pino, stdTimeFunctions } from 'pino';

/** A log of JSON lines on standard output, as log collectors take them. */
export function jsonLog(level: string): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 1, sync: true }),
  );
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => logger.warn(message),
  };
}
