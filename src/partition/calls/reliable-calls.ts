import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import { checkCallId, checkCallIdAge } from "../../reliable/call-id.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import { fingerprint } from "../../reliable/fingerprint.ts";
import type { LogGate } from "../../reliable/log-gate.ts";
import { deadlockError } from "../turns/deadlock.ts";
import type { TurnActivation } from "../turns/turn.ts";
import { CallDriver } from "./call-driver.ts";
import { type Entry, entryKey, newEntry, resumedEntry } from "./call-entry.ts";
import { checkSame, loggedLater, outcomeReply } from "./call-replies.ts";
import type { StoredCall } from "./call-table.ts";
import { CallWaiters } from "./call-waiters.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

/**
 * Reliable calls at their owner ([CALL1–4], [CALL6], [CALL8]): accept durably, run in order of acceptance, store the outcome
 * in the commit of the state it belongs to, answer every later call of the same id from it.
 *
 * | step            | in memory                   | durable                    | a crash here                            |
 * |-----------------|-----------------------------|----------------------------|-----------------------------------------|
 * | arrive          | entry                       | –                          | the caller repeats it                   |
 * | log ahead       | entry                       | note, row in Postgres      | its alarm finds it: see `OrphanWatch`   |
 * | accept          | entry, queued once durable  | pending row in `calls`     | the next process resumes it             |
 * | run             | its turn                    | the same                   | it is run again; the turn left no trace |
 * | finish          | entry with its outcome      | –                          | the same                                |
 * | commit          | –                           | outcome and state, as one  | later calls get the outcome             |
 */
export class ReliableCalls {
  readonly #parts: ReliableCallParts;
  /** By object and call id: every call whose outcome is not durable yet. */
  readonly #entries = new Map<string, Entry>();
  readonly #driver: CallDriver;
  readonly #waiters: CallWaiters;
  /** Calls taken that are not in the table yet. */
  #reserved = 0;

  constructor(parts: ReliableCallParts) {
    this.#parts = parts;
    this.#waiters = new CallWaiters(parts.deadlines, parts.config.partitionMailbox);
    this.#driver = new CallDriver(parts, {
      current: (entry) => this.#current(entry),
      finished: (entry, record) => this.#finished(entry, record),
      refused: (entry, error) => this.#close(entry, { kind: "error", error: error.toWire() }),
    });
  }

  get pending(): number {
    return this.#entries.size;
  }

  /** Calls that still need the log or a turn. */
  get open(): number {
    return this.#parts.table.open + this.#reserved;
  }

  /**
   * Takes a call: runs it, or answers from what is known of its id. Refusals change nothing.
   * @param again takes the message once more, when the call has left this partition before its outcome
   */
  call(
    message: CallMessage,
    activation: TurnActivation,
    method: MethodDefinition,
    request: unknown,
    again: () => Promise<Reply>,
  ): Promise<Reply> {
    const { callId, answer } = message.reliable as NonNullable<CallMessage["reliable"]>;
    checkCallId(callId);
    const hash = fingerprint(message.method, request);
    const entry = this.#entries.get(entryKey(activation, callId));
    const known = entry?.stored ?? this.#parts.table.find(activation.position, message.type, message.id, callId);
    if (known !== undefined) checkSame(known.record, hash);
    if (known !== undefined && entry === undefined) return this.#replay(known, activation);
    if (answer === "outcome") this.#checkCycle(message, activation);
    if (entry === undefined) {
      return this.#waiters.add(this.#accept(message, activation, method, hash), message, false, again);
    }
    if (answer === "accepted" && entry.accepted) {
      return this.#afterCommit(activation, { kind: "accepted", callId });
    }
    return this.#waiters.add(entry, message, true, again);
  }

  /** Drives a call that an earlier process had accepted ([CALL3]). `crashed`: that process ended by itself. */
  resume(stored: StoredCall, activation: TurnActivation, method: MethodDefinition, crashed: boolean): void {
    if (this.#entries.has(entryKey(activation, stored.record.callId))) return;
    const entry = resumedEntry(stored, activation, method, crashed);
    this.#entries.set(entryKey(activation, stored.record.callId), entry);
    activation.pendingCalls++;
    this.#driver.add(entry);
  }

  /** Starts no more calls of a shard, save what a turn that runs there waits for. */
  pause(shard: number): void {
    this.#driver.pause(shard);
  }

  unpause(shard: number): void {
    this.#driver.unpause(shard);
  }

  /** Whether a call of the shard is under way, or must be before the turns that run there can end. */
  mustRun(shard: number): boolean {
    for (const entry of this.#entries.values()) {
      if (entry.state.status !== "pending" || this.#parts.shardAt(entry.activation.position) !== shard) continue;
      if (underWay(entry) || this.#driver.awaitedInside(entry)) return true;
    }
    return false;
  }

  /** Lets a shard's calls go from memory; they are in the table. Whoever waits for one asks again. */
  release(shard: number): void {
    for (const entry of [...this.#entries.values()]) {
      // One that has its outcome is answered from here all the same.
      const waits = entry.state.status === "pending" && !underWay(entry);
      if (waits && this.#parts.shardAt(entry.activation.position) === shard) this.#sendBack(entry);
    }
  }

  #sendBack(entry: Entry): void {
    this.#entries.delete(entryKey(entry.activation, entry.stored.record.callId));
    this.#driver.remove(entry);
    entry.activation.pendingCalls--;
    if (entry.stored.seq === 0) this.#reserved--;
    this.#waiters.release(entry);
  }

  /** Answers everyone and forgets what is in memory, for good; the table knows it all. */
  stop(error: EdgeverseError): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) this.#waiters.answer(entry, { kind: "error", error: error.toWire() });
  }

  #accept(message: CallMessage, activation: TurnActivation, method: MethodDefinition, hash: string): Entry {
    const { config, engine, gate } = this.#parts;
    const options = message.reliable as NonNullable<CallMessage["reliable"]>;
    const now = this.#parts.now();
    checkCallIdAge(options.callId, now, config.retention);
    engine.checkRoom(activation);
    this.#waiters.checkRoom();
    // A call that an open call waits for must be taken, or neither ends.
    const nested = message.chain !== undefined && message.chain.length > 0;
    if (this.open >= config.logBacklog * (nested ? 2 : 1)) {
      throw new EdgeverseError("LOG_UNAVAILABLE", `${this.open} reliable calls wait for the log`, { retryAfter: 5 });
    }
    const log = options.log ?? method.log;
    if (log === "write-ahead" && gate === undefined) {
      throw new EdgeverseError("LOG_UNAVAILABLE", "This cluster keeps no log of calls", { retryable: false });
    }
    const entry = newEntry(message, activation, method, hash, log, this.#parts.shardAt(activation.position), now);
    this.#entries.set(entryKey(activation, options.callId), entry);
    activation.pendingCalls++;
    this.#reserved++;
    if (log === "write-behind") this.#insert(entry);
    else {
      (gate as LogGate)
        .write(entry.stored.record)
        .then(() => this.#insert(entry))
        .catch((error: unknown) => this.#withdraw(entry, EdgeverseError.from(error)));
    }
    return entry;
  }

  #insert(entry: Entry): void {
    const { table, commit } = this.#parts;
    if (!this.#current(entry)) return;
    if (this.#driver.holdsBack(entry)) {
      this.#sendBack(entry);
      return;
    }
    // The number is taken as the row is written: the order of acceptance is the order of the table.
    entry.stored = { ...entry.stored, seq: table.nextSeq() };
    // The wake-up is set in the same commit as the acceptance.
    this.#parts.onProgress();
    commit.write(entry.activation, () => {
      table.insert(entry.stored);
    });
    commit.settled(entry.activation, (error) => {
      if (!this.#current(entry)) return;
      this.#reserved--;
      if (error !== undefined) {
        entry.activation.pendingCalls--;
        this.#close(entry, { kind: "error", error: error.toWire() });
        return;
      }
      table.open++;
      entry.accepted = true;
      this.#waiters.accepted(entry);
      this.#parts.onProgress();
      this.#driver.add(entry);
    });
  }

  /** Takes back a call that was never accepted. */
  #withdraw(entry: Entry, error: EdgeverseError): void {
    // One that is on its way into the table can't be taken back: it is answered from there.
    if (!this.#current(entry) || entry.stored.seq > 0) return;
    this.#reserved--;
    entry.activation.pendingCalls--;
    this.#close(entry, { kind: "error", error: error.toWire() });
  }

  #finished(entry: Entry, record: CallRecord): void {
    const { gate } = this.#parts;
    this.#parts.onProgress();
    if (gate === undefined || entry.stored.log === "write-behind") this.#close(entry, outcomeReply(record));
    else void this.#closeLogged(entry, gate);
  }

  /** [CALL6] `write-ahead`: the answer waits for the outcome's row; the outcome itself stands. */
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
    if (this.#current(entry)) this.#entries.delete(entryKey(entry.activation, entry.stored.record.callId));
    this.#waiters.answer(entry, reply);
  }

  /** A stored outcome leaves like any reply: after a storage access, with all that was published before it durable. */
  async #replay({ log, open, record }: StoredCall, activation: TurnActivation): Promise<Reply> {
    try {
      if (log === "write-ahead" && open) await this.#parts.gate?.write(record);
    } catch (error) {
      return loggedLater(record, EdgeverseError.from(error));
    }
    return this.#afterCommit(activation, { ...outcomeReply(record), replayed: true });
  }

  async #afterCommit(activation: TurnActivation, reply: Reply): Promise<Reply> {
    try {
      await this.#parts.commit.durable(activation);
      return reply;
    } catch (error) {
      return { kind: "error", error: EdgeverseError.from(error).toWire() };
    }
  }

  /**
   * [TURN7] A turn would wait for ever for a reliable call of an object that itself waits for the turn: calls of an object run
   * in order, so the one in front is tried again and again. Final, so that the queues go on.
   */
  #checkCycle({ chain }: CallMessage, activation: TurnActivation): void {
    if (chain === undefined) return;
    const cycle = this.#parts.engine.waits.chainClosesCycle(activation, chain);
    if (cycle !== undefined) throw deadlockError([...chain.map((link) => link.key), ...cycle], false);
  }

  #current(entry: Entry): boolean {
    return this.#entries.get(entryKey(entry.activation, entry.stored.record.callId)) === entry;
  }
}

/** Its turn runs, or its acceptance is on its way into the table. */
function underWay(entry: Entry): boolean {
  return entry.driving || (entry.stored.seq > 0 && !entry.accepted);
}
