import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import { parseJson } from "../object/json.ts";
import type { CallMessage, ChainLink, Failed, Reply, Responded } from "../object/message.ts";
import type { MethodDefinition } from "../object/registry.ts";
import { checkCallId, checkCallIdAge } from "../reliable/call-id.ts";
import type { CallRecord } from "../reliable/call-record.ts";
import { type CallEvent, type CallState, eventOfError, retryDelay, transition } from "../reliable/call-state.ts";
import { fingerprint } from "../reliable/fingerprint.ts";
import type { LogGate } from "../reliable/log-gate.ts";
import type { CallTable, StoredCall } from "./call-table.ts";
import type { Cell } from "./cell.ts";
import type { Deadlines } from "./deadlines.ts";
import type { GroupCommit } from "./group-commit.ts";
import { encodeText, methodPlan, parseRequest } from "./method-plan.ts";
import type { Outcome } from "./turn.ts";
import type { TurnEngine } from "./turn-engine.ts";

/** A call in memory, from its acceptance until its outcome is durable. */
interface Entry {
  stored: StoredCall;
  state: CallState;
  readonly cell: Cell;
  readonly method: MethodDefinition;
  /** Turns that wait for the outcome; lost in a crash, and then nobody waits. */
  readonly chain: readonly ChainLink[] | undefined;
  readonly caller: CallMessage["caller"];
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** An earlier process had accepted it. */
  readonly resumed: boolean;
  readonly waiters: Set<(reply: Reply) => void>;
  accepted: boolean;
  /** Its turn may have run before: in this process, or in one that ended. */
  started: boolean;
}

export interface ReliableCallParts {
  readonly table: CallTable;
  readonly engine: TurnEngine;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** Undefined when the cluster has no log. */
  readonly gate: LogGate | undefined;
  readonly config: {
    readonly callTimeout: number;
    readonly retention: number;
    readonly logBacklog: number;
    readonly maxAttempts: number;
    readonly maxMessage: number;
    readonly partitionMailbox: number;
  };
  /** Something was accepted or finished: the backlog has grown. */
  readonly onProgress: () => void;
}

/**
 * Reliable calls at their owner ([CALL1–4], [CALL6], [CALL8]): accept durably, run in order of acceptance, store the outcome
 * in the commit of the state it belongs to, answer every later call of the same id from it.
 */
export class ReliableCalls {
  readonly #parts: ReliableCallParts;
  /** By object and call id: every call whose outcome is not durable yet. */
  readonly #entries = new Map<string, Entry>();
  /** By object: its accepted pending calls in order; the first is being driven. */
  readonly #queues = new Map<string, Entry[]>();
  #waiters = 0;

  constructor(parts: ReliableCallParts) {
    this.#parts = parts;
  }

  get pending(): number {
    return this.#entries.size;
  }

  /** Takes a call: runs it, or answers from what is known of its id. Refusals change nothing. */
  call(message: CallMessage, cell: Cell, method: MethodDefinition, request: unknown): Promise<Reply> {
    const { callId, answer } = message.reliable as NonNullable<CallMessage["reliable"]>;
    checkCallId(callId);
    const hash = fingerprint(message.method, request);
    const key = entryKey(cell, callId);
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      checkSame(entry.stored.record, hash);
      return this.#wait(entry, message, answer, true);
    }
    const known = this.#parts.table.find(cell.ring, message.type, message.id, callId);
    if (known !== undefined) {
      checkSame(known.record, hash);
      return this.#replay(known);
    }
    const accepted = this.#accept(key, message, cell, method, hash);
    return this.#wait(accepted, message, answer, false);
  }

  /** What the owner knows of a call id. */
  status(cell: { ring: number }, type: string, id: string, callId: string): CallRecord | undefined {
    return this.#parts.table.find(cell.ring, type, id, callId)?.record;
  }

  /** Drives a call that an earlier process had accepted ([CALL3]). */
  resume(stored: StoredCall, cell: Cell, method: MethodDefinition): void {
    const { record } = stored;
    const entry: Entry = {
      stored,
      state: { status: "pending", attempts: record.attempts },
      cell,
      method,
      chain: undefined,
      caller: record.caller === null ? { kind: "system" } : (JSON.parse(record.caller) as CallMessage["caller"]),
      requestId: record.callId,
      traceparent: undefined,
      resumed: true,
      waiters: new Set(),
      accepted: true,
      started: true,
    };
    this.#entries.set(entryKey(cell, record.callId), entry);
    cell.held++;
    this.#enqueue(entry);
  }

  /** Forgets what is in memory; the table knows it all. */
  reset(error: EdgeverseError): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#queues.clear();
    for (const entry of entries) this.#answer(entry, { kind: "error", error: error.toWire() });
  }

  #accept(key: string, message: CallMessage, cell: Cell, method: MethodDefinition, hash: string): Entry {
    const { table, config, engine, gate, commit } = this.#parts;
    const options = message.reliable as NonNullable<CallMessage["reliable"]>;
    const now = this.#parts.now();
    checkCallIdAge(options.callId, now, config.retention);
    engine.checkRoom(cell);
    if (table.open >= config.logBacklog) {
      throw new EdgeverseError("LOG_UNAVAILABLE", `${table.open} reliable calls wait for the log`, { retryAfter: 5 });
    }
    const log = gate === undefined ? "batched" : (options.log ?? method.log);
    const stored: StoredCall = {
      seq: 0,
      ring: cell.ring,
      log,
      open: true,
      record: newRecord(message, cell, hash, now),
    };
    const entry: Entry = {
      stored,
      state: { status: "pending", attempts: 1 },
      cell,
      method,
      chain: message.chain,
      caller: message.caller,
      requestId: message.requestId,
      traceparent: message.traceparent,
      resumed: false,
      waiters: new Set(),
      accepted: false,
      started: false,
    };
    this.#entries.set(key, entry);
    cell.held++;
    table.open++;
    const write = () => {
      if (this.#entries.get(key) !== entry) return;
      // Numbered as it is written, so that the order of acceptance is the order of the table.
      entry.stored = { ...entry.stored, seq: table.nextSeq() };
      commit.write(() => table.insert(entry.stored));
      commit.settled((error) => (error === undefined ? this.#enqueue(entry) : undefined));
    };
    if (log === "batched") write();
    else
      (gate as LogGate).write(stored.record).then(write, (error: EdgeverseError) => this.#withdraw(key, entry, error));
    return entry;
  }

  /** Takes back a call that was never accepted. */
  #withdraw(key: string, entry: Entry, error: EdgeverseError): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#parts.table.open--;
    entry.cell.held--;
    this.#answer(entry, { kind: "error", error: error.toWire() });
  }

  #enqueue(entry: Entry): void {
    entry.accepted = true;
    const queue = this.#queues.get(entry.cell.key) ?? [];
    queue.push(entry);
    this.#queues.set(entry.cell.key, queue);
    for (const waiter of entry.waiters) waiter({ kind: "accepted", callId: entry.stored.record.callId });
    this.#parts.onProgress();
    if (queue.length === 1) this.#drive(entry);
  }

  /** Starts the call's turn, once more if it was started before. */
  #drive(entry: Entry): void {
    if (!this.#current(entry)) return;
    const { expiresAt } = entry.stored.record;
    if (expiresAt !== null && this.#parts.now() >= expiresAt) this.#advance(entry, { kind: "expired" });
    else if (!entry.started) this.#run(entry);
    else this.#restart(entry);
  }

  /** Counts the attempt durably before it runs, so that a call that kills its process can't do so for ever. */
  #restart(entry: Entry): void {
    const { commit, table, config } = this.#parts;
    if (entry.state.attempts >= config.maxAttempts && entry.resumed) {
      this.#advance(entry, { kind: "faulted", error: CRASHED, maxAttempts: config.maxAttempts });
      return;
    }
    entry.state = transition(entry.state, { kind: "started" });
    const { attempts } = entry.state;
    commit.write(() => table.started(entry.stored.seq, attempts));
    commit.settled((error) => (error === undefined ? this.#run(entry) : undefined));
  }

  #run(entry: Entry): void {
    if (!this.#current(entry)) return;
    entry.started = true;
    const { record } = entry.stored;
    const now = this.#parts.now();
    const limit = now + (entry.method.timeout ?? this.#parts.config.callTimeout);
    const info = {
      caller: entry.caller,
      deadline: record.expiresAt === null ? limit : Math.min(limit, record.expiresAt),
      callId: record.callId,
      requestId: entry.requestId,
      traceparent: entry.traceparent,
    };
    let request: unknown;
    try {
      request = parseRequest(entry.method, record.request === null ? undefined : parseJson(record.request));
    } catch (error) {
      this.#ended(entry, { ok: false, error: EdgeverseError.from(error) });
      return;
    }
    const plan = methodPlan(entry.method, request, {
      info,
      admitted: true,
      chain: entry.chain,
      encode: encodeText(this.#parts.config.maxMessage),
      finish: (outcome: Outcome) => this.#ended(entry, outcome),
    });
    this.#parts.engine.submit(entry.cell, plan);
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
    const { expiresAt } = entry.stored.record;
    const retryAt = this.#parts.now() + retryDelay(state.attempts);
    this.#parts.deadlines.add(expiresAt === null ? retryAt : Math.min(retryAt, expiresAt), () => this.#drive(entry));
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
      if (gate === undefined) table.open--;
      this.#parts.onProgress();
      if (entry.stored.log === "batched" || gate === undefined) this.#close(entry, outcomeReply(record));
      else void this.#closeLogged(entry, gate);
    });
    this.#next(entry);
  }

  /** [CALL6] `before`: the answer waits for the outcome's row; the outcome itself stands. */
  async #closeLogged(entry: Entry, gate: LogGate): Promise<void> {
    const { record } = entry.stored;
    try {
      await gate.write(record);
      this.#close(entry, outcomeReply(record));
    } catch (error) {
      const { message, details: _, ...rest } = (error as EdgeverseError).toWire();
      const details = { callId: record.callId, status: record.status };
      this.#close(entry, {
        kind: "error",
        error: { ...rest, message: `${message}; the call has run, repeat it for its outcome`, details },
      });
    }
  }

  #close(entry: Entry, reply: Reply): void {
    this.#entries.delete(entryKey(entry.cell, entry.stored.record.callId));
    this.#answer(entry, reply);
  }

  #next(entry: Entry): void {
    entry.cell.held--;
    const queue = this.#queues.get(entry.cell.key);
    if (queue === undefined) return;
    queue.shift();
    const first = queue[0];
    if (first === undefined) this.#queues.delete(entry.cell.key);
    else this.#drive(first);
  }

  #wait(entry: Entry, message: CallMessage, answer: "outcome" | "accepted", replayed: boolean): Promise<Reply> {
    if (answer === "accepted" && entry.accepted) {
      return Promise.resolve({ kind: "accepted", callId: entry.stored.record.callId });
    }
    if (this.#waiters >= this.#parts.config.partitionMailbox) {
      const error = new EdgeverseError("OVERLOADED", "Too many callers wait for outcomes", { retryAfter: 1 });
      return Promise.resolve({ kind: "error", error: error.toWire() });
    }
    this.#waiters++;
    return new Promise((resolve) => {
      const settle = (reply: Reply) => {
        if (reply.kind === "accepted" && answer === "outcome") return;
        if (!entry.waiters.delete(settle)) return;
        this.#waiters--;
        cancel();
        resolve(replayed && reply.kind !== "accepted" && reply.kind !== "moved" ? { ...reply, replayed: true } : reply);
      };
      entry.waiters.add(settle);
      const cancel = this.#parts.deadlines.add(message.deadline, () => {
        settle({ kind: "error", error: stillPending(entry.stored.record.callId) });
      });
    });
  }

  #answer(entry: Entry, reply: Reply): void {
    for (const waiter of entry.waiters) waiter(reply);
  }

  /** A stored outcome leaves like any reply: after a storage access, with all that was published before it durable. */
  async #replay({ log, open, record }: StoredCall): Promise<Reply> {
    try {
      if (log === "before" && open) await this.#parts.gate?.write(record);
      await this.#parts.commit.durable();
      return { ...outcomeReply(record), replayed: true };
    } catch (error) {
      return { kind: "error", error: EdgeverseError.from(error).toWire() };
    }
  }

  #current(entry: Entry): boolean {
    return this.#entries.get(entryKey(entry.cell, entry.stored.record.callId)) === entry;
  }
}

const CRASHED: WireError = {
  code: "UNAVAILABLE",
  message: "the partition's process ended every time while the call ran",
  retryable: false,
};

function entryKey(cell: Cell, callId: string): string {
  return `${cell.key}\n${callId}`;
}

function newRecord(message: CallMessage, cell: Cell, requestHash: string, now: number): CallRecord {
  const options = message.reliable as NonNullable<CallMessage["reliable"]>;
  return {
    callId: options.callId,
    type: message.type,
    id: message.id,
    shard: cell.shard,
    method: message.method,
    request: message.request ?? null,
    requestHash,
    status: "pending",
    response: null,
    error: null,
    caller: JSON.stringify(message.caller),
    traceId: message.traceparent?.split("-")[1] ?? null,
    attempts: 1,
    epoch: cell.epoch,
    acceptedAt: now,
    finishedAt: null,
    expiresAt: options.expiresAt ?? null,
  };
}

function checkSame(record: CallRecord, hash: string): void {
  if (record.requestHash === hash) return;
  throw new EdgeverseError(
    "CALL_ID_REUSED",
    `The call id named a call of ${record.method} with another request or method`,
  );
}

function outcomeReply(record: CallRecord): Responded | Failed {
  if (record.status === "success") return { kind: "response", response: record.response ?? "null" };
  if (record.error !== null) return { kind: "error", error: record.error };
  return { kind: "error", error: new EdgeverseError("UNAVAILABLE", "The call is pending").toWire() };
}

function stillPending(callId: string): WireError {
  return new EdgeverseError(
    "DEADLINE_EXCEEDED",
    "The deadline passed; the call is accepted and will be driven to an end",
    {
      details: { callId, status: "pending" },
    },
  ).toWire();
}
