/**
 * How long to wait before attempt `attempt` (from 0) is repeated, in ms: any time up to a bound that doubles. This is the "full
 * jitter" of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/: of the ways that are compared there, it
 * is one of the two that make clients that fail together send least.
 *
 * @param retryAfter seconds that the host has asked for: they are waited for, and the jitter comes on top
 */
export function backoff(attempt: number, most: number, retryAfter = 0): number {
  return retryAfter * 1_000 + Math.random() * Math.min(most, 100 * 2 ** Math.min(attempt, 20));
}

/** Waits. @throws the signal's reason */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return abortable(signal, (resolve) => {
    const timer = setTimeout(resolve, ms);
    return () => clearTimeout(timer);
  });
}

/**
 * A promise that `signal` ends.
 * @param start begins what is waited for, and says how it is given up
 * @throws the signal's reason, or what `start` rejects with
 */
export function abortable<Value = void>(
  signal: AbortSignal | undefined,
  start: (resolve: (value: Value) => void, reject: (error: unknown) => void) => () => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw signal.reason;
    const stop = () => signal?.removeEventListener("abort", onAbort);
    const giveUp = start(
      (value) => {
        stop();
        resolve(value);
      },
      (error) => {
        stop();
        reject(error);
      },
    );
    const onAbort = () => {
      stop();
      giveUp();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort);
  });
}
