import type { CallKey, CallStatus } from "./call-record.ts";
import type { CallCount } from "./ports.ts";

/** A call and its place in the local log. `seq` is the clock of its acceptance: it goes with the call when its shard moves. */
export interface PlacedCall extends CallKey {
  readonly seq: number;
}

/** Asks a partition for its newest calls. */
export interface NewestQuery {
  readonly status?: CallStatus | undefined;
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  /** Only calls older than this one. */
  readonly before?: PlacedCall | undefined;
  readonly limit: number;
}

export interface NewestCalls {
  /** Newest first. `bytes` is the size of request and response. */
  readonly calls: readonly (PlacedCall & { readonly bytes: number })[];
  /** False when there are too many calls to look at: then there may be newer ones. */
  readonly complete: boolean;
}

/** The calls that a partition has. */
export interface OwnerStats {
  readonly counts: readonly CallCount[];
  /** False when there are too many calls to count them all. */
  readonly complete: boolean;
}

/** Negative when `left` is newer. Partitions may give the same `seq` to two calls. */
function compare(left: PlacedCall, right: PlacedCall): number {
  return (
    right.seq - left.seq || order(left.type, right.type) || order(left.id, right.id) || order(left.callId, right.callId)
  );
}

function order(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The newest of the calls that it is given, in any order. */
export class Newest<Call extends PlacedCall> {
  readonly #limit: number;
  readonly #before: PlacedCall | undefined;
  #calls: Call[] = [];

  constructor({ limit, before }: Pick<NewestQuery, "limit" | "before">) {
    this.#limit = limit;
    this.#before = before;
  }

  /** Newest first, as many as the limit allows. */
  get calls(): Call[] {
    this.#calls = this.#calls.sort(compare).slice(0, this.#limit);
    return this.#calls;
  }

  /** Whether there are as many as the limit allows, and all are newer than any call of this `seq`. */
  surpasses(seq: number): boolean {
    const { calls } = this;
    return calls.length === this.#limit && (calls.at(-1) as Call).seq > seq;
  }

  add(call: Call): void {
    if (this.#before !== undefined && compare(call, this.#before) <= 0) return;
    this.#calls.push(call);
    // Now and then, so that not every call costs a sort.
    if (this.#calls.length >= 2 * this.#limit + 100) this.#calls = this.calls;
  }
}
