import { EdgeverseError, type WireError } from "../../errors/edgeverse-error.ts";
import { parseJson } from "../../object/json.ts";
import type { ChainLink } from "../../object/message.ts";
import { parseRequest } from "../../object/request.ts";
import type { NoteKind } from "../../reliable/call-history.ts";
import { type CallEvent, type CallState, eventOfError, retryDelay, transition } from "../../reliable/call-state.ts";
import { isRefusal, readable } from "../storage/refusal.ts";
import type { StoredCall } from "../storage/stored-call.ts";
import { isReadable } from "../turns/activate.ts";
import { type Outcome, RELEASED } from "../turns/outcome.ts";
import { blame, type Entry, isExpired, letGo, takeParsed } from "./call-entry.ts";
import { planOf } from "./call-plan.ts";
import { CallQueues } from "./call-queues.ts";
import { CRASHED } from "./call-replies.ts";
import type { CallWrites } from "./call-writes.ts";
import { closedByLine } from "./line-deadlock.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";
import { Suspects } from "./suspects.ts";

interface Callbacks {
  /** Whether this process still drives the call. */
  current(entry: Entry): boolean;
  /** The call has its outcome, and it is durable. */
  finished(entry: Entry): void;
  /** The call is parked, durably. */
  parked(entry: Entry): void;
  /** Nothing of a call that was never accepted was stored: it is to be accepted as it was. */
  unwritten(entry: Entry, error: EdgeverseError): void;
}

/** Drives calls to their outcomes, each object's in order of acceptance ([CALL2], [CALL4], [CALL8]). */
export class CallDriver {
  readonly #parts: ReliableCallParts;
  readonly #writes: CallWrites;
  readonly #callbacks: Callbacks;
  readonly #queues: CallQueues;
  readonly #suspects: Suspects;
  /** Shards that are being drained. */
  readonly #paused = new Set<number>();

  constructor(parts: ReliableCallParts, writes: CallWrites, callbacks: Callbacks) {
    this.#parts = parts;
    this.#writes = writes;
    this.#callbacks = callbacks;
    this.#suspects = new Suspects(parts.deadlines, parts.now, (entry) => this.#queues.retry(entry));
    this.#queues = new CallQueues(
      (entry) => this.#drive(entry),
      (queue) => this.#paused.size > 0 && this.#isPaused(queue),
    );
  }

  /** Puts a call in line. It may start, and end, before this returns. */
  add(entry: Entry): void {
    this.#queues.add(entry);
  }

  /** Takes a call that does not run out of the line. */
  remove(entry: Entry): void {
    this.#suspects.leave(entry);
    this.#queues.done(entry);
  }

  /**
   * Ends a call that does not run, as failed.
   * @throws EdgeverseError `UNAVAILABLE` when its request can't be read; then nothing has changed
   */
  fail(entry: Entry, error: WireError): void {
    this.#load(entry);
    this.#suspects.leave(entry);
    this.#note(entry, "ended");
    this.#advance(entry, { kind: "threw", error });
  }

  /** Whether to start no more calls of a shard, save what a turn that runs there waits for. */
  pause(shard: number, paused: boolean): void {
    if (paused) this.#paused.add(shard);
    else this.#paused.delete(shard);
  }

  /** Whether a turn that a hand-off waits for waits for the call. */
  awaitedInside({ chain = [], joined }: Entry): boolean {
    return [chain, ...joined].some((links) => links.length > 0 && this.#parts.inside(links.map((link) => link.key)));
  }

  /** Waits for `reply`, which the turns of `chain` wait for: so does a hand-off that waits for one of them. */
  async joined<T>(entry: Entry, chain: readonly ChainLink[], reply: Promise<T>): Promise<T> {
    entry.joined.add(chain);
    this.#queues.lookAgain(entry);
    try {
      return await reply;
    } finally {
      entry.joined.delete(chain);
    }
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
    if (!this.#callbacks.current(entry) || entry.driving || entry.state.status !== "pending") return;
    const { commit, table, config, now } = this.#parts;
    if (isExpired(entry, now())) this.#advance(entry, { kind: "expired" });
    // Should its acceptance be refused again, it is taken back: its turn must not be under way then.
    else if (entry.refused && !entry.accepted) this.#again(entry);
    else if (!entry.started) this.#run(entry);
    else if (entry.crashes >= config.maxCrashes) this.#park(entry, entry.trouble ?? CRASHED);
    else if (this.#suspects.admits(entry)) {
      entry.driving = true;
      // The attempt is counted durably before it runs: a call that kills its process is started a bounded number of times.
      entry.state = transition(entry.state, { kind: "started" });
      table.counters.count("retried");
      this.#note(entry, "started");
      const counted = { ...entry.stored, crashes: entry.crashes };
      commit.write(entry.activation, () => table.update(counted));
      commit.settled(entry.activation, (error) => {
        if (error === undefined) this.#run(entry);
        else this.#again(entry);
      });
    }
  }

  #run(entry: Entry): void {
    if (!this.#callbacks.current(entry)) return;
    entry.started = true;
    entry.driving = true;
    const { engine, requests } = this.#parts;
    let request: unknown;
    try {
      request = this.#request(entry);
    } catch (error) {
      this.#ended(entry, { ok: false, error: EdgeverseError.from(error) });
      return;
    }
    const plan = planOf(this.#parts, entry, request, (outcome) => this.#ended(entry, outcome));
    requests.started(entry);
    engine.submit(entry.activation, plan);
  }

  #request(entry: Entry): unknown {
    if (entry.parsed !== undefined) return takeParsed(entry);
    const text = this.#load(entry);
    return parseRequest(entry.method, text === null ? undefined : parseJson(text));
  }

  #ended(entry: Entry, outcome: Outcome): void {
    entry.driving = false;
    this.#parts.requests.ended(entry);
    this.#suspects.leave(entry);
    if (!this.#callbacks.current(entry)) return;
    if (outcome.ok) {
      this.#advance(entry, { kind: "returned", response: outcome.value as string });
      return;
    }
    const { error } = outcome;
    // Sent back before it started, it is still in line, and leaves with the shard.
    if (error === RELEASED && this.holdsBack(entry)) return;
    // Its object was taken back to what the database has, and the call with it.
    if (error === RELEASED || isRefusal(error)) {
      if (error !== RELEASED) blame(entry, error);
      this.#note(entry, "refused", error === RELEASED ? undefined : error.toWire());
      this.#again(entry);
    } else if (error.code === "STATE_INVALID" && !isReadable(entry.activation)) this.#park(entry, error.toWire());
    else if (isExpired(entry, this.#parts.now())) this.#advance(entry, { kind: "expired" });
    else if (closedByLine(error, this.#queues.line(entry)))
      this.#advance(entry, { kind: "threw", error: { ...error.toWire(), retryable: false } });
    else this.#advance(entry, eventOfError(error, this.#parts.config.maxAttempts));
  }

  #advance(entry: Entry, event: CallEvent): void {
    const state = transition(entry.state, event);
    if (state.status !== "pending") {
      this.#finish(entry, state);
      return;
    }
    entry.state = state;
    entry.crashes = 0;
    if (event.kind === "faulted") this.#note(entry, "faulted", event.error);
    this.#again(entry);
  }

  /** Something happened to the call. It is stored with the next attempt, or with the outcome. */
  #note(entry: Entry, what: NoteKind, error?: WireError): void {
    const record = { ...entry.stored.record, attempts: entry.state.attempts };
    entry.stored = this.#parts.table.noted({ ...entry.stored, record }, what, error);
  }

  /**
   * The request, which stays in memory until the call has ended or is started again.
   * @throws EdgeverseError `UNAVAILABLE`
   */
  #load(entry: Entry): string | null {
    const { stored } = entry;
    if (entry.held) return stored.record.request;
    const request = readable(() => this.#parts.table.request(stored));
    entry.stored = { ...stored, record: { ...stored.record, request } };
    entry.held = true;
    return request;
  }

  /** Goes on with it after a delay: starts it once more, or ends it if it has expired. */
  #again(entry: Entry): void {
    const { now, deadlines } = this.#parts;
    entry.driving = false;
    this.#suspects.leave(entry);
    if (entry.accepted) letGo(entry);
    const at = now() + retryDelay(Math.max(entry.state.attempts, entry.crashes));
    const expiresAt = entry.stored.record.expiresAt ?? at;
    deadlines.add(expiresAt > now() ? Math.min(at, expiresAt) : at, () => this.#queues.retry(entry));
  }

  /** The outcome joins the commit that carries the turn's own effects. */
  #finish(entry: Entry, state: Exclude<CallState, { status: "pending" }>): void {
    const { commit, table, now } = this.#parts;
    try {
      // It goes into the log. After a turn it is here, so no turn's effects are stored without the outcome.
      this.#load(entry);
    } catch {
      this.#again(entry);
      return;
    }
    entry.state = state;
    const before = entry.stored;
    entry.stored = {
      ...before,
      logged: !table.logsFirst(before),
      record: {
        ...before.record,
        status: state.status,
        attempts: state.attempts,
        response: state.status === "success" ? state.response : null,
        error: state.status === "success" ? null : state.error,
        finishedAt: now(),
      },
    };
    // One that went with a refused commit is alone in the next, so that it can't take others with it.
    const alone = entry.crashes > 0;
    this.#writes.ended(entry);
    commit.settled(entry.activation, (error) => {
      if (!this.#callbacks.current(entry)) return;
      if (error !== undefined) {
        this.#takeBack(entry, before, error);
        return;
      }
      entry.activation.pendingCalls--;
      if (alone) this.#queues.done(entry);
      this.#callbacks.finished(entry);
    });
    if (!alone) this.#queues.done(entry);
  }

  /** The database did not take the outcome, nor what the turn did: the call is pending as before. */
  #takeBack(entry: Entry, before: StoredCall, error: EdgeverseError): void {
    blame(entry, error);
    entry.stored = { ...before, crashes: entry.crashes };
    entry.state = { status: "pending", attempts: entry.state.attempts };
    this.#note(entry, "refused", error.toWire());
    this.#queues.putBack(entry);
    // One whose acceptance an earlier commit has stored is in the table, even if nobody was told of it yet.
    if (!entry.written) this.#callbacks.unwritten(entry, error);
    if (this.#callbacks.current(entry)) this.#again(entry);
  }

  /** Takes the call off the queue, until an operator decides. */
  #park(entry: Entry, error: WireError): void {
    const { commit, table } = this.#parts;
    const before = entry.stored;
    const { attempts } = entry.state;
    const { crashes } = entry;
    entry.driving = true;
    const record = { ...before.record, status: "parked", attempts, error } as const;
    const parked: StoredCall = table.noted({ ...before, crashes, record }, "parked", error);
    // One that is not in the table yet is accepted as it is now.
    entry.stored = parked;
    if (entry.written) commit.write(entry.activation, () => table.update(parked));
    commit.settled(entry.activation, (failure) => {
      if (!this.#callbacks.current(entry)) return;
      if (failure !== undefined) {
        entry.stored = before;
        this.#again(entry);
        return;
      }
      entry.activation.pendingCalls--;
      table.counters.count("parked");
      this.#callbacks.parked(entry);
      this.#queues.done(entry);
    });
  }
}
