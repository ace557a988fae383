import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { parseJson } from "../object/json.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import type { MethodDefinition } from "../object/registry.ts";
import { checkCallId, checkCallIdAge } from "../reliable/call-id.ts";
import type { CallRecord } from "../reliable/call-record.ts";
import { type CallEvent, type CallState, eventOfError, retryDelay, transition } from "../reliable/call-state.ts";
import { fingerprint } from "../reliable/fingerprint.ts";
import type { LogGate } from "../reliable/log-gate.ts";
import { type Entry, entryKey, newEntry, resumedEntry } from "./call-entry.ts";
import { CallQueues } from "./call-queues.ts";
import { CRASHED, checkSame, loggedLater, outcomeReply } from "./call-replies.ts";
import type { StoredCall } from "./call-table.ts";
import { CallWaiters } from "./call-waiters.ts";
import { chainClosesCircle, deadlockError } from "./deadlock.ts";
import { encodeText, methodPlan, parseRequest } from "./method-plan.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";
import type { Outcome, TurnCell } from "./turn.ts";

/**
 * Reliable calls at their owner ([CALL1–4], [CALL6], [CALL8]): accept durably, run in order of acceptance, store the outcome
 * in the commit of the state it belongs to, answer every later call of the same id from it.
 *
 * | step            | in memory                   | durable                    | a crash here                            |
 * |-----------------|-----------------------------|----------------------------|-----------------------------------------|
 * | arrive          | entry                       | –                          | the caller repeats it                   |
 * | log (`before`)  | entry                       | pending row in Postgres    | the reconciler drives it                |
 * | accept          | entry, queued once durable  | pending row in `calls`     | the next process resumes it             |
 * | run             | its turn                    | the same                   | it is run again; the turn left no trace |
 * | finish          | entry with its outcome      | –                          | the same                                |
 * | commit          | –                           | outcome and state, as one  | later calls get the outcome             |
 */
export class ReliableCalls {
  readonly #parts: ReliableCallParts;
  /** By object and call id: every call whose outcome is not durable yet. */
  readonly #entries = new Map<string, Entry>();
  readonly #queues = new CallQueues((entry) => this.#drive(entry));
  readonly #waiters: CallWaiters;
  /** Calls taken that are not in the table yet. */
  #reserved = 0;

  constructor(parts: ReliableCallParts) {
    this.#parts = parts;
    this.#waiters = new CallWaiters(parts.deadlines, parts.config.partitionMailbox);
  }

  get pending(): number {
    return this.#entries.size;
  }

  /** Calls that still need the log or a turn. */
  get open(): number {
    return this.#parts.table.open + this.#reserved;
  }

  /** Takes a call: runs it, or answers from what is known of its id. Refusals change nothing. */
  call(message: CallMessage, cell: TurnCell, method: MethodDefinition, request: unknown): Promise<Reply> {
    const { callId, answer } = message.reliable as NonNullable<CallMessage["reliable"]>;
    checkCallId(callId);
    const hash = fingerprint(message.method, request);
    const entry = this.#entries.get(entryKey(cell, callId));
    const known = entry?.stored ?? this.#parts.table.find(cell.ring, message.type, message.id, callId);
    if (known !== undefined) checkSame(known.record, hash);
    if (known !== undefined && entry === undefined) return this.#replay(known);
    if (answer === "outcome") this.#checkCircle(message, cell);
    if (entry === undefined) return this.#waiters.add(this.#accept(message, cell, method, hash), message, false);
    if (answer === "accepted" && entry.accepted) {
      return this.#afterCommit({ kind: "accepted", callId });
    }
    return this.#waiters.add(entry, message, true);
  }

  /** Drives a call that an earlier process had accepted ([CALL3]). `crashed`: that process ended by itself. */
  resume(stored: StoredCall, cell: TurnCell, method: MethodDefinition, crashed: boolean): void {
    const entry = resumedEntry(stored, cell, method, crashed);
    this.#entries.set(entryKey(cell, stored.record.callId), entry);
    cell.held++;
    this.#queues.add(entry);
  }

  /** Answers everyone and forgets what is in memory, for good; the table knows it all. */
  stop(error: EdgeverseError): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) this.#waiters.answer(entry, { kind: "error", error: error.toWire() });
  }

  #accept(message: CallMessage, cell: TurnCell, method: MethodDefinition, hash: string): Entry {
    const { config, engine, gate } = this.#parts;
    const options = message.reliable as NonNullable<CallMessage["reliable"]>;
    const now = this.#parts.now();
    checkCallIdAge(options.callId, now, config.retention);
    engine.checkRoom(cell);
    this.#waiters.checkRoom();
    if (this.open >= config.logBacklog) {
      throw new EdgeverseError("LOG_UNAVAILABLE", `${this.open} reliable calls wait for the log`, { retryAfter: 5 });
    }
    const log = options.log ?? method.log;
    if (log === "before" && gate === undefined) {
      throw new EdgeverseError("LOG_UNAVAILABLE", "This cluster keeps no log of calls", { retryable: false });
    }
    const entry = newEntry(message, cell, method, hash, log, now);
    this.#entries.set(entryKey(cell, options.callId), entry);
    cell.held++;
    this.#reserved++;
    if (log === "batched") this.#insert(entry);
    else {
      (gate as LogGate).write(entry.stored.record).then(
        () => this.#insert(entry),
        (error: EdgeverseError) => this.#withdraw(entry, error),
      );
    }
    return entry;
  }

  #insert(entry: Entry): void {
    const { table, commit } = this.#parts;
    if (!this.#current(entry)) return;
    // Numbered as it is written, so that the order of acceptance is the order of the table.
    entry.stored = { ...entry.stored, seq: table.nextSeq() };
    // Now, so that the wake-up is as durable as the acceptance it is for.
    this.#parts.onProgress();
    commit.write(() => {
      table.insert(entry.stored);
      this.#reserved--;
    });
    commit.settled((error) => {
      if (error !== undefined || !this.#current(entry)) return;
      entry.accepted = true;
      this.#waiters.accepted(entry);
      this.#parts.onProgress();
      this.#queues.add(entry);
    });
  }

  /** Takes back a call that was never accepted. */
  #withdraw(entry: Entry, error: EdgeverseError): void {
    if (!this.#current(entry)) return;
    this.#reserved--;
    entry.cell.held--;
    this.#close(entry, { kind: "error", error: error.toWire() });
  }

  /** Starts the call's turn, once more if it was started before. */
  #drive(entry: Entry): void {
    if (!this.#current(entry)) return;
    const { commit, table, config, now } = this.#parts;
    if (now() >= (entry.stored.record.expiresAt ?? Number.POSITIVE_INFINITY)) this.#advance(entry, { kind: "expired" });
    else if (!entry.started) this.#run(entry);
    else if (entry.crashes > config.maxAttempts)
      this.#advance(entry, { kind: "faulted", error: CRASHED, maxAttempts: 0 });
    else {
      // Counted durably before it runs, so that a call that kills its process can't do so for ever.
      entry.state = transition(entry.state, { kind: "started" });
      const { attempts } = entry.state;
      commit.write(() => table.started(entry.stored.seq, attempts, entry.crashes));
      commit.settled((error) => (error === undefined ? this.#run(entry) : undefined));
    }
  }

  #run(entry: Entry): void {
    if (!this.#current(entry)) return;
    entry.started = true;
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
    engine.submit(entry.cell, plan);
  }

  #ended(entry: Entry, outcome: Outcome): void {
    if (!this.#current(entry)) return;
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
    this.#parts.deadlines.add(at, () => this.#drive(entry));
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
    entry.stored = { ...entry.stored, record };
    commit.write(() => table.finish(entry.stored.seq, record, gate === undefined));
    commit.settled((error) => {
      if (error !== undefined || !this.#current(entry)) return;
      this.#parts.onProgress();
      if (gate === undefined || entry.stored.log === "batched") this.#close(entry, outcomeReply(record));
      else void this.#closeLogged(entry, gate);
    });
    entry.cell.held--;
    this.#queues.done(entry);
  }

  /** [CALL6] `before`: the answer waits for the outcome's row; the outcome itself stands. */
  async #closeLogged(entry: Entry, gate: LogGate): Promise<void> {
    const { record } = entry.stored;
    try {
      await gate.write(record);
      this.#close(entry, outcomeReply(record));
    } catch (error) {
      this.#close(entry, loggedLater(record, EdgeverseError.from(error)));
    }
  }

  #close(entry: Entry, reply: Reply): void {
    if (this.#current(entry)) this.#entries.delete(entryKey(entry.cell, entry.stored.record.callId));
    this.#waiters.answer(entry, reply);
  }

  /** A stored outcome leaves like any reply: after a storage access, with all that was published before it durable. */
  async #replay({ log, open, record }: StoredCall): Promise<Reply> {
    try {
      if (log === "before" && open) await this.#parts.gate?.write(record);
    } catch (error) {
      return loggedLater(record, EdgeverseError.from(error));
    }
    return this.#afterCommit({ ...outcomeReply(record), replayed: true });
  }

  async #afterCommit(reply: Reply): Promise<Reply> {
    try {
      await this.#parts.commit.durable();
      return reply;
    } catch (error) {
      return { kind: "error", error: EdgeverseError.from(error).toWire() };
    }
  }

  /**
   * [TURN7] A turn that waits for a reliable call of an object that waits for it would wait for ever: calls of an object run
   * in order, so the one in front is tried again and again. Final, so that the queues go on.
   */
  #checkCircle({ chain }: CallMessage, cell: TurnCell): void {
    if (chain === undefined) return;
    const circle = chainClosesCircle(cell, chain, this.#parts.cells.map);
    if (circle !== undefined) throw deadlockError([...chain.map((link) => link.key), ...circle], false);
  }

  #current(entry: Entry): boolean {
    return this.#entries.get(entryKey(entry.cell, entry.stored.record.callId)) === entry;
  }
}
