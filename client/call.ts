import { abortable, backoff, sleep } from "./backoff.ts";
import { newCallId } from "./call-id.ts";
import { ClientError, type Repeatable } from "./client-error.ts";
import type { CallOptions } from "./types.ts";

/** A call, as one attempt after the other sends it. */
export interface Call extends Repeatable {
  readonly type: string;
  readonly id: string;
  readonly method: string;
  readonly request: unknown;
  readonly callId: string | undefined;
  readonly expiresIn: number | undefined;
  /** Ms that it may still take, where its caller has said so. */
  timeout: number | undefined;
}

/** Sends one attempt of a call. @throws ClientError, or the signal's reason */
export type Send = (call: Call, signal: AbortSignal) => Promise<unknown>;

/** Ms that a call has by default, with all attempts. */
const TIMEOUT = 60_000;
/** The longest pause between two attempts, in ms, beside what the host asks for. */
const LONGEST_PAUSE = 5_000;

export function newCall(type: string, id: string, method: string, request: unknown, options: CallOptions): Call {
  const { expiresIn, repeat, reliable } = options;
  const timeout = options.timeout === undefined ? undefined : Math.ceil(options.timeout);
  const callId = options.callId ?? (reliable === true ? newCallId() : undefined);
  return { type, id, method, request, callId, expiresIn, timeout, repeat: repeat === true || callId !== undefined };
}

/**
 * Makes a call: as many attempts as are safe and worth while, within its time. A plain call is sent once. It may have run, and
 * what it called may have run, whatever it failed with.
 */
export async function perform(call: Call, { timeout, signal, repeat }: CallOptions, send: Send): Promise<unknown> {
  const most = timeout ?? TIMEOUT;
  const end = Date.now() + most;
  const late = () =>
    new ClientError("DEADLINE_EXCEEDED", `The call did not end within ${most} ms`, {
      retryable: call.repeat,
      callId: call.callId,
    });
  return within(most, signal, late, async (limit) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await send(call, limit);
      } catch (error) {
        const again = error instanceof ClientError && error.retryable && call.repeat && repeat !== false;
        if (!again || limit.aborted) throw error;
        const pause = backoff(attempt, LONGEST_PAUSE, error.retryAfter);
        if (Date.now() + pause >= end) throw error;
        await sleep(pause, limit);
        if (timeout !== undefined) call.timeout = Math.max(1, Math.ceil(end - Date.now()));
      }
    }
  });
}

/** Runs `work` with a signal that aborts when the caller's does, or when the time is over. */
export async function within<Value>(
  ms: number,
  signal: AbortSignal | undefined,
  late: () => ClientError,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late()), ms);
  const onAbort = () => limit.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort);
  try {
    // Also what knows no signals, such as a function that gets a token, is waited for no longer.
    return await abortable(limit.signal, (resolve, reject) => {
      work(limit.signal).then(resolve, reject);
      return () => {};
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
