import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { GuardedChild } from "./guarded-child.ts";
import { HostError } from "./host-error.ts";
import { describeExit } from "./supervisor.ts";

export interface ReadyOptions {
  /** The program that is to say so; waiting ends when it does. */
  readonly child: GuardedChild;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until a program has said that it is ready: never by asking the worker, whose paths are its author's.
 * @throws HostError when the program ends first, or says nothing for `timeoutMs`
 */
export async function waitUntilReady(said: Promise<void>, { child, timeoutMs, signal }: ReadyOptions): Promise<void> {
  const waiting = new AbortController();
  const ended = child.exited.then((exit) => {
    throw new HostError(`The worker did not start (${describeExit(exit)})`);
  });
  const late = sleep(timeoutMs, undefined, { signal: waiting.signal }).then(() => {
    throw new HostError(`The worker was not ready after ${timeoutMs / 1_000} s`);
  });
  const aborted = once(signal, "abort", { signal: waiting.signal }).then(() => signal.throwIfAborted());
  for (const unheard of [late, aborted]) unheard.catch(() => {}); // They reject when nobody waits any more.
  try {
    signal.throwIfAborted();
    await Promise.race([said, ended, late, aborted]);
  } finally {
    waiting.abort();
  }
}
