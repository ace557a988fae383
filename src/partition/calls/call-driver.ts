import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { parseJson } from "../../object/json.ts";
import { parseRequest } from "../../object/request.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import { type CallEvent, type CallState, eventOfError, retryDelay, transition } from "../../reliable/call-state.ts";
import { encodeText, methodPlan } from "../turns/method-plan.ts";
import { type Outcome, RELEASED } from "../turns/turn.ts";
import type { Entry } from "./call-entry.ts";
import { CallQueues } from "./call-queues.ts";
import { CRASHED } from "./call-replies.ts";
import type { StoredCall } from "./call-table.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

interface Callbacks {
  /** Whether this process still drives the call. */
  current(entry: Entry): boolean;
  /** The call has its outcome, and it is durable. */
  finished(entry: Entry, record: CallRecord): void;
  /** The database refuses the call and its outcome for good. */
  refused(entry: Entry, error: EdgeverseError): void;
}

/** Drives accepted calls to their outcomes, each object's in order of acceptance ([CALL2], [CALL4], [CALL8]). */
export class CallDriver {
  readonly #parts: ReliableCallParts;
  readonly #callbacks: Callbacks;
  readonly #queues: CallQueues;
  /** Shards that are being drained. */
  readonly #paused = new Set<number>();

  constructor(parts: ReliableCallParts, callbacks: Callbacks) {
    this.#parts = parts;
    this.#callbacks = callbacks;
    this.#queues = new CallQueues(
      (entry) => this.#drive(entry),
      (queue) => this.#paused.size > 0 && this.#isPaused(queue),
    );
  }

  /** Puts an accepted call in line. */
  add(entry: Entry): void {
    this.#queues.add(entry);
  }

  /** Takes a call that does not run out of the line. */
  remove(entry: Entry): void {
    this.#queues.remove(entry);
  }

  /** Starts no more calls of a shard, save what a turn that runs there waits for. */
  pause(shard: number): void {
    this.#paused.add(shard);
  }

  unpause(shard: number): void {
    this.#paused.delete(shard);
  }

  /** Whether a turn that a hand-off waits for waits for the call. */
  awaitedInside({ chain }: Entry): boolean {
    if (chain === undefined || chain.length === 0) return false;
    return this.#parts.inside(chain.map((link) => link.key));
  }

  /** Whether the call's shard takes in no more calls. */
  holdsBack(entry: Entry): boolean {
    return this.#paused.size > 0 && this.#isPaused([entry]);
  }

  #isPaused(queue: readonly Entry[]): boolean {
    const shard = this.#parts.shardAt((queue[0] as Entry).activation.position);
    return this.#paused.has(shard) && !queue.some((entry) => this.awaitedInside(entry));
  }

  /** Starts the call's turn, once more if it was started before. */
  #drive(entry: Entry): void {
    if (!this.#callbacks.current(entry) || entry.driving) return;
    const { commit, table, config, now, deadlines } = this.#parts;
    if (now() >= (entry.stored.record.expiresAt ?? Number.POSITIVE_INFINITY)) this.#advance(entry, { kind: "expired" });
    else if (!entry.started) this.#run(entry);
    else if (entry.crashes > config.maxAttempts)
      this.#advance(entry, { kind: "faulted", error: CRASHED, maxAttempts: 0 });
    else {
      entry.driving = true;
      // The attempt is counted durably before it runs: a call that kills its process is started a bounded number of times.
      entry.state = transition(entry.state, { kind: "started" });
      const { attempts } = entry.state;
      commit.write(entry.activation, () => table.started(entry.stored, attempts, entry.crashes));
      commit.settled(entry.activation, (error) => {
        if (error === undefined) this.#run(entry);
        else if (this.#callbacks.current(entry)) {
          entry.driving = false;
          deadlines.add(now() + retryDelay(attempts), () => this.#queues.retry(entry));
        }
      });
    }
  }

  #run(entry: Entry): void {
    if (!this.#callbacks.current(entry)) return;
    entry.started = true;
    entry.driving = true;
    entry.crashes = 0;
    const { record } = entry.stored;
    const { config, engine } = this.#parts;
    let request: unknown;
    try {
      request = parseRequest(entry.method, record.request === null ? undefined : parseJson(record.request));
    } catch (error) {
      this.#ended(entry, { ok: false, error: EdgeverseError.from(error) });
      return;
    }
    const plan = methodPlan(entry.method, request, {
      info: {
        caller: entry.caller,
        deadline: record.expiresAt ?? Number.POSITIVE_INFINITY,
        callId: record.callId,
        requestId: entry.requestId,
        traceparent: entry.traceparent,
      },
      timeout: entry.method.timeout ?? config.callTimeout,
      admitted: true,
      chain: entry.chain,
      encode: encodeText(config.maxMessage),
      finish: (outcome: Outcome) => this.#ended(entry, outcome),
    });
    engine.submit(entry.activation, plan);
  }

  #ended(entry: Entry, outcome: Outcome): void {
    entry.driving = false;
    if (!this.#callbacks.current(entry)) return;
    // Sent back before it started: it is still in line, and leaves with the shard.
    if (!outcome.ok && outcome.error === RELEASED) return;
    if (outcome.ok) this.#advance(entry, { kind: "returned", response: outcome.value as string });
    else this.#advance(entry, eventOfError(outcome.error, this.#parts.config.maxAttempts));
  }

  #advance(entry: Entry, event: CallEvent): void {
    entry.state = transition(entry.state, event);
    const { state } = entry;
    if (state.status !== "pending") {
      this.#finish(entry, state);
      return;
    }
    const retryAt = this.#parts.now() + retryDelay(state.attempts);
    const at = Math.min(retryAt, entry.stored.record.expiresAt ?? Number.POSITIVE_INFINITY);
    this.#parts.deadlines.add(at, () => this.#queues.retry(entry));
  }

  /** The outcome joins the commit that carries the turn's own effects. */
  #finish(entry: Entry, state: Exclude<CallState, { status: "pending" }>): void {
    const { commit, table, gate } = this.#parts;
    const record: CallRecord = {
      ...entry.stored.record,
      status: state.status,
      attempts: state.attempts,
      response: state.status === "success" ? state.response : null,
      error: state.status === "success" ? null : state.error,
      finishedAt: this.#parts.now(),
    };
    const accepted = entry.stored;
    entry.stored = { ...accepted, record };
    commit.write(entry.activation, () => table.finish(entry.stored, gate === undefined));
    commit.settled(entry.activation, (error) => {
      if (!this.#callbacks.current(entry)) return;
      if (error !== undefined) this.#runAgain(entry, accepted, error);
      else {
        if (gate === undefined) table.open--;
        this.#callbacks.finished(entry, record);
      }
    });
    entry.activation.pendingCalls--;
    this.#queues.done(entry);
  }

  /** The database did not take the outcome, nor what the turn did: the call is as it was before. */
  #runAgain(entry: Entry, accepted: StoredCall, error: EdgeverseError): void {
    const { now, config, deadlines } = this.#parts;
    const { attempts } = entry.state;
    entry.stored = accepted;
    if (error.code === "COMMIT_REFUSED" && ++entry.crashes > config.maxAttempts) {
      this.#callbacks.refused(entry, error);
      return;
    }
    entry.state = { status: "pending", attempts };
    entry.activation.pendingCalls++;
    deadlines.add(now() + retryDelay(attempts), () => {
      if (this.#callbacks.current(entry)) this.#queues.add(entry);
    });
  }
}
