/**
 * Asks every second until there is an answer: the next thing that a kubelet does is to ask whether the
 * container is ready. Without it, one that is not ready at once is asked again a whole period later, and
 * people wait for that.
 *
 * @param httpGet Answers as soon as the program runs, whatever it waits for.
 * @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/#startup-probe
 */
export function startupProbe(httpGet: Record<string, unknown>): Record<string, unknown> {
  return { httpGet, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 120 };
}
