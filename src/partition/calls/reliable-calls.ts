import { EdgeverseError, type WireError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import { checkCallId } from "../../reliable/call-id.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import { checkSame } from "../../reliable/fingerprint.ts";
import type { LogGate } from "../../reliable/log-gate.ts";
import type { OwnedRow } from "../storage/commit-batch.ts";
import { keyOfCall } from "../storage/stored-call.ts";
import type { TurnActivation } from "../turns/turn.ts";
import { checkAdmission, checkCycle, logPolicy, printOf } from "./call-admission.ts";
import { CallAnswers } from "./call-answers.ts";
import { CallDriver } from "./call-driver.ts";
import { type Entry, keyOf, letGo, newEntry, resumedEntry, rowBytes, type WaitingCall } from "./call-entry.ts";
import { outcomeReply } from "./call-replies.ts";
import { CallWaiters } from "./call-waiters.ts";
import { CallWrites } from "./call-writes.ts";
import { HandedCalls } from "./handed-calls.ts";
import { OpenCalls, underWay } from "./open-calls.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

/** Ms until the acceptance of a call whose turn is under way is tried again. */
const ACCEPT_AGAIN = 1_000;

/**
 * Reliable calls at their owner ([CALL1–4], [CALL6], [CALL8]): run in order of acceptance, store the outcome in the commit of
 * the state it belongs to, answer every later call of the same id from it.
 *
 * A call that is first in the line of its object starts at once. The next commit has its outcome if it has ended by then, else
 * its acceptance. Nobody is told anything before that commit, and what its turn sends to other partitions waits for it.
 *
 * | step            | in memory                    | durable                          | a crash here                            |
 * |-----------------|------------------------------|----------------------------------|-----------------------------------------|
 * | log ahead       | entry                        | note, row in Postgres            | its alarm finds it: see `OrphanWatch`   |
 * | arrive          | entry, in line               | –                                | the caller repeats it                   |
 * | run             | its turn                     | –                                | the caller repeats it; no trace is left |
 * | commit, ended   | –                            | mark, state and backlog, as one  | later calls get the outcome             |
 * | commit, not yet | entry; in line: no request   | row of `pending`                 | the next process resumes it             |
 * | run, run again  | its turn                     | the same, attempts counted       | it is run again; the turn left no trace |
 * | commit, ended   | –                            | mark for the row, state, backlog | later calls get the outcome             |
 * | ship            | –                            | row in Postgres, then no backlog | shipped again, which changes nothing    |
 */
export class ReliableCalls {
  /** Takes calls from objects of this partition. */
  readonly handed: HandedCalls;
  readonly #parts: ReliableCallParts;
  readonly #open = new OpenCalls();
  readonly #writes: CallWrites;
  readonly #driver: CallDriver;
  readonly #waiters: CallWaiters;
  readonly #answers: CallAnswers;

  constructor(parts: ReliableCallParts) {
    this.#parts = parts;
    this.#waiters = new CallWaiters(parts);
    this.#answers = new CallAnswers(parts);
    this.#writes = new CallWrites(parts);
    this.#driver = new CallDriver(parts, this.#writes, {
      current: (entry) => this.#open.has(entry),
      finished: (entry) => this.#finished(entry),
      parked: (entry) => this.#parked(entry),
      unwritten: (entry, error) => this.#unwritten(entry, error),
    });
    const after = { accepted: (entry: Entry) => this.#accepted(entry), leave: (entry: Entry) => this.#leave(entry) };
    this.handed = new HandedCalls({ ...parts, ...after, open: this.#open, writes: this.#writes, driver: this.#driver });
  }

  /** Calls that have not ended, and are driven. */
  get pending(): number {
    return this.#open.size;
  }

  /** Calls that still need a turn or the log. */
  get open(): number {
    return this.#open.size + (this.#parts.gate === undefined ? 0 : this.#parts.table.backlog.size.records);
  }

  /** A call that has come, and has not ended, as it stands in memory. */
  underWay(call: Pick<CallRecord, "type" | "id" | "callId">): CallRecord | undefined {
    return this.#open.get(keyOf(call))?.stored.record;
  }

  /**
   * Takes a call: runs it, or answers from what is known of its id. Refusals change nothing. `charge` counts a new one ([LIM5]).
   * @param again takes the message once more, when the call has left this partition before its outcome
   * @param alongside committed with the call, if it is taken: with its acceptance or its outcome, whichever is first
   */
  call(
    message: CallMessage,
    activation: TurnActivation,
    method: MethodDefinition,
    { raw, request, charge }: { readonly raw: unknown; readonly request: unknown; readonly charge?: () => void },
    again: () => Promise<Reply>,
    alongside?: OwnedRow,
  ): Promise<Reply> {
    const options = message.reliable as NonNullable<CallMessage["reliable"]>;
    const { callId, answer } = options;
    checkCallId(callId);
    const print = printOf(message, raw);
    const entry = this.#open.get(keyOf({ type: message.type, id: message.id, callId }));
    const known = entry?.stored ?? this.#parts.table.find(activation.position, message.type, message.id, callId);
    if (known !== undefined) checkSame(known.record, print);
    if (known !== undefined && entry === undefined) return this.#answers.again(known, activation);
    if (answer === "outcome") checkCycle(this.#parts, message, activation);
    if (entry === undefined) {
      logPolicy(this.#parts.gate, options, method);
      const waiting = alongside ?? this.#parts.scheduled(message, activation, print, charge);
      if (waiting instanceof Promise) return waiting;
      return this.#take(message, activation, method, print, request, again, waiting);
    }
    if (answer === "accepted" && entry.accepted)
      return this.#answers.afterCommit(activation, { kind: "accepted", callId });
    const reply = this.#waiters.add(entry, message, true, again);
    const { chain = [] } = message;
    return answer === "outcome" && chain.length > 0 ? this.#driver.joined(entry, chain, reply) : reply;
  }

  /** Drives a call that was accepted before ([CALL3]). `crashed`: the process that had it ended by itself. */
  resume(stored: WaitingCall, activation: TurnActivation, method: MethodDefinition, crashed: boolean): void {
    const entry = resumedEntry(stored, activation, method, crashed);
    if (this.#open.get(entry.key) !== undefined) return;
    this.#open.add(entry);
    this.#ship(entry);
    activation.pendingCalls++;
    this.#driver.add(entry);
  }

  /** Counts a call that nobody drives: it is parked, or can't be driven. */
  setAside(stored: WaitingCall): void {
    const key = keyOf(stored.record);
    this.#open.setAside(key, stored.position, rowBytes(stored));
    this.#parts.shipping?.add(key, { key: keyOfCall(stored), bytes: stored.bytes, since: stored.record.acceptedAt });
  }

  isAside(record: CallRecord): boolean {
    return this.#open.isAside(keyOf(record));
  }

  /** Counts it no longer: it has ended, or is driven again. */
  return(record: CallRecord): void {
    this.#open.return(keyOf(record));
    this.#parts.shipping?.delete(keyOf(record));
  }

  /** Ends a call that this process drives and that does not run now, as failed. Says whether it did. */
  async fail(record: CallRecord, error: WireError): Promise<boolean> {
    const entry = this.#open.get(keyOf(record));
    if (entry === undefined || !entry.accepted || entry.driving || entry.state.status !== "pending") return false;
    this.#driver.fail(entry, error);
    await this.#parts.commit.durable(entry.activation);
    return true;
  }

  /** Whether to start no more calls of a shard, save what a turn that runs there waits for. */
  pause(shard: number, paused: boolean): void {
    this.#driver.pause(shard, paused);
  }

  /** Whether a call of the shard is under way, or must be before the turns that run there can end. */
  mustRun(shard: number): boolean {
    const pending = this.#open.pending((position) => this.#parts.shardAt(position) === shard);
    return pending.some((entry) => underWay(entry) || this.#driver.awaitedInside(entry));
  }

  /** Lets a shard's calls go from memory; they are in the table. Whoever waits for one asks again. */
  release(shard: number): void {
    const inside = (position: number) => this.#parts.shardAt(position) === shard;
    // One that has its outcome is answered from here all the same.
    for (const entry of this.#open.pending(inside)) if (!underWay(entry)) this.#sendBack(entry);
    this.#open.leave(inside);
    this.#parts.shipping?.leave(inside);
  }

  #sendBack(entry: Entry): void {
    this.#leave(entry);
    this.#waiters.release(entry);
  }

  /** Answers everyone and forgets what is in memory, for good; the table knows it all. */
  stop(error: EdgeverseError): void {
    const entries = [...this.#open.all()];
    this.#open.clear();
    for (const entry of entries) this.#waiters.answer(entry, { kind: "error", error: error.toWire() });
  }

  #take(
    message: CallMessage,
    activation: TurnActivation,
    method: MethodDefinition,
    print: string,
    request: unknown,
    again: () => Promise<Reply>,
    alongside: OwnedRow | undefined,
  ): Promise<Reply> {
    const { gate, now, shardAt } = this.#parts;
    this.#waiters.checkRoom();
    const log = checkAdmission(this.#parts, this.#open, message, activation, method, alongside !== undefined);
    const entry = newEntry(message, activation, method, print, log, shardAt(activation.position), now(), alongside);
    entry.parsed = { request };
    this.#open.add(entry);
    activation.pendingCalls++;
    const answer = this.#waiters.add(entry, message, false, again);
    if (log === "write-behind") this.#arrive(entry);
    else {
      (gate as LogGate)
        .write(entry.stored.record)
        .then(() => this.#arrive(entry))
        .catch((error: unknown) => this.#withdraw(entry, EdgeverseError.from(error)));
    }
    return answer;
  }

  /** Takes a call into the line of its object, where it may start at once. */
  #arrive(entry: Entry): void {
    if (!this.#open.has(entry)) return;
    if (this.#driver.holdsBack(entry)) {
      this.#sendBack(entry);
      return;
    }
    entry.stored = { ...entry.stored, seq: this.#parts.table.nextSeq() };
    this.#accept(entry);
    this.#driver.add(entry);
  }

  /** The next commit accepts the call, unless it has its outcome. */
  #accept(entry: Entry): void {
    this.#writes.arrived(entry);
    this.#parts.commit.settled(entry.activation, (error) => {
      if (!this.#open.has(entry)) return;
      if (error === undefined) this.#accepted(entry);
      // Else its outcome was refused as well.
      else if (entry.state.status === "pending") this.#unwritten(entry, error);
    });
  }

  #accepted(entry: Entry): void {
    entry.accepted = true;
    this.#waiters.accepted(entry);
    if (entry.state.status !== "pending") return;
    // The log has it already.
    if (entry.stored.log === "write-behind") this.#ship(entry);
    if (!entry.driving) letGo(entry);
  }

  /** Nothing was stored of the call. It may not be to blame, so its acceptance is tried once more, without its turn's effects. */
  #unwritten(entry: Entry, error: EdgeverseError): void {
    const { deadlines, now } = this.#parts;
    entry.written = false;
    if (entry.handed && !entry.accepted) this.#leave(entry);
    else if (!entry.refused) {
      entry.refused = true;
      this.#accept(entry);
    } else if (entry.driving) {
      // Its turn waits or runs: it can't be taken back, and may yet end with an outcome.
      deadlines.add(now() + ACCEPT_AGAIN, () => {
        const waits = this.#open.has(entry) && entry.state.status === "pending" && !entry.written;
        if (waits) this.#accept(entry);
      });
    } else this.#withdraw(entry, error);
  }

  /** Takes back a call that was never accepted. */
  #withdraw(entry: Entry, error: EdgeverseError): void {
    // One that is on its way into the table can't be taken back: it is answered from there.
    if (!this.#open.has(entry) || entry.accepted || entry.written) return;
    this.#leave(entry);
    this.#waiters.answer(entry, { kind: "error", error: error.toWire() });
  }

  #leave(entry: Entry): void {
    this.#open.delete(entry);
    this.#writes.forget(entry);
    this.#parts.shipping?.delete(entry.key);
    entry.activation.pendingCalls--;
    this.#driver.remove(entry);
  }

  #parked(entry: Entry): void {
    this.#open.delete(entry);
    this.setAside({ ...entry.stored, bytes: entry.requestBytes });
    this.#parts.onParked(entry.stored.record);
    this.#waiters.answer(entry, outcomeReply(entry.stored.record));
  }

  #finished(entry: Entry): void {
    this.#parts.shipping?.delete(entry.key);
    const reply = this.#answers.ofEnded(entry.stored);
    const close = (later: Reply) => {
      this.#open.delete(entry);
      this.#waiters.answer(entry, later);
    };
    if (reply instanceof Promise) void reply.then(close);
    else close(reply);
  }

  #ship(entry: Entry): void {
    const { stored, requestBytes: bytes, key } = entry;
    this.#parts.shipping?.add(key, { key: keyOfCall(stored), bytes, since: stored.record.acceptedAt });
  }
}
