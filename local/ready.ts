import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { GuardedChild } from "./guarded-child.ts";
import { HostError } from "./host-error.ts";
import { describeExit } from "./supervisor.ts";

export interface ReadyOptions {
  /** The program that is to answer; waiting ends when it does. */
  readonly child: GuardedChild;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until `url` answers 200.
 * @throws HostError when the program ends first, or after `timeoutMs`, with what was answered last
 */
export async function waitUntilReady(url: string, { child, timeoutMs, signal }: ReadyOptions): Promise<void> {
  const waiting = new AbortController();
  const ended = child.exited.then((exit) => {
    throw new HostError(`The worker did not start (${describeExit(exit)})`);
  });
  const aborted = once(signal, "abort", { signal: waiting.signal }).then(() => signal.throwIfAborted());
  aborted.catch(() => {}); // Rejects when nobody waits any more.
  try {
    signal.throwIfAborted();
    await Promise.race([ask(url, timeoutMs, waiting.signal), ended, aborted]);
  } finally {
    waiting.abort();
  }
}

async function ask(url: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  let last = "nothing answered";
  for (const end = performance.now() + timeoutMs; performance.now() < end && !signal.aborted; await sleep(20)) {
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
      const body = await response.text();
      if (response.ok) return;
      last = `it answered ${response.status} ${body.slice(0, 200)}`;
    } catch (error) {
      if ((error as Error).name === "TimeoutError") last = "it accepts connections but does not answer";
    }
  }
  throw new HostError(`The worker was not ready after ${timeoutMs / 1_000} s: ${last}`);
}
