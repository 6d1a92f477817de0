import type { Settings } from 'node:http2';

/**
 * Node's own 64 KiB let 1 MiB/s through at a round trip of 40 ms; this lets 200 MiB/s through.
 *
 * A stream whose reader is slower than the connection holds so much, and four of them travel at a
 * time: more costs memory, and gains nothing where TCP itself has less, such as Linux's 6 MiB.
 */
export const windowBytes = 8 * 1024 * 1024;

/** What both ends announce. */
export const sessionSettings = {
  initialWindowSize: windowBytes,
  maxConcurrentStreams: 128,
} as const satisfies Settings;

/** In MiB; Node's 10 would refuse requests while one window's worth waits to be sent. */
export const maxSessionMemory = 256;

/** How often the client asks for a sign of life. */
export const pingIntervalMs = 5_000;

/** Without an inbound byte for so long, in whole intervals, either end gives the other up. */
export const silenceLimitMs = 30_000;
