/** How often either end asks for a sign of life. */
export const pingIntervalMs = 5_000;

/** Without an inbound byte for so long, in whole intervals, either end gives the other up. */
export const silenceLimitMs = 30_000;
