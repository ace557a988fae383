import type { EdgeverseError, WireError } from "../../errors/edgeverse-error.ts";
import type { Caller } from "../../object/call.ts";
import { type CallMessage, type ChainLink, objectKey, type Reply } from "../../object/message.ts";
import type { LogPolicy } from "../../object/method.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import type { CallState } from "../../reliable/call-state.ts";
import type { OwnedRow } from "../storage/commit-batch.ts";
import type { StoredCall } from "../storage/stored-call.ts";
import type { TurnActivation } from "../turns/turn.ts";

/** A reliable call in memory, from its arrival until its outcome is durable. */
export interface Entry {
  readonly key: string;
  stored: StoredCall;
  /** Whether `stored` has the request. Else only the table does: the calls in line would fill the memory. */
  held: boolean;
  /** The request as its caller's message was checked, until its turn has it or it waits in line. */
  parsed: { readonly request: unknown } | undefined;
  /** Characters of the request. */
  readonly requestBytes: number;
  state: CallState;
  readonly activation: TurnActivation;
  readonly method: MethodDefinition;
  /** Turns that wait for the outcome; lost in a crash, and then nobody waits. */
  readonly chain: readonly ChainLink[] | undefined;
  /** Turns that asked for the same call later, and wait as well. */
  readonly joined: Set<readonly ChainLink[]>;
  readonly caller: Caller;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly waiters: Set<(reply: Reply | undefined) => void>;
  /** What the commit writes that first has the call: its acceptance, or its outcome. */
  readonly alongside: OwnedRow | undefined;
  /** It came with the commit of the turn that sent it, and never was if that does not store it. */
  handed: boolean;
  /** A commit was given its row of `pending`. */
  written: boolean;
  /** Its acceptance is durable. */
  accepted: boolean;
  /** Its turn may have run before: in this process, or in one that ended. */
  started: boolean;
  /** Its turn was started, or is about to be, and has not ended. */
  driving: boolean;
  /** Processes in a row that ended while it ran, or might have, and commits that were refused with it. */
  crashes: number;
  /** Why the last commit with it was refused. */
  trouble: WireError | undefined;
  /** A commit with its acceptance was refused. */
  refused: boolean;
  /** Bytes that its turn counts in the memory budget; undefined while it has none. */
  counted: number | undefined;
}

/** A call that has not ended, as it is read: without its request, of which it says the size. */
export interface WaitingCall extends StoredCall {
  readonly bytes: number;
}

/** What a call takes in the table beside its request, roughly. */
const ROW = 500;

/** Bytes that a call takes in the table, roughly. */
export function rowBytes({ bytes }: { readonly bytes: number }): number {
  return ROW + bytes;
}

/** Names a call in memory. */
export function keyOf({ type, id, callId }: Pick<CallRecord, "type" | "id" | "callId">): string {
  return `${objectKey(type, id)}\n${callId}`;
}

export function newEntry(
  message: CallMessage,
  activation: TurnActivation,
  method: MethodDefinition,
  requestHash: string,
  log: LogPolicy,
  shard: number,
  now: number,
  alongside?: OwnedRow,
): Entry {
  const options = message.reliable as NonNullable<CallMessage["reliable"]>;
  const record: CallRecord = {
    callId: options.callId,
    type: message.type,
    id: message.id,
    shard,
    method: message.method,
    request: message.request ?? null,
    requestHash,
    status: "pending",
    response: null,
    error: null,
    caller: JSON.stringify(message.caller),
    traceId: message.traceparent?.split("-")[1] ?? null,
    attempts: 1,
    epoch: activation.epoch,
    acceptedAt: now,
    finishedAt: null,
    expiresAt: options.expiresAt ?? null,
  };
  return {
    key: keyOf(record),
    stored: { seq: 0, position: activation.position, log, crashes: 0, logged: false, record },
    held: true,
    parsed: undefined,
    requestBytes: message.request?.length ?? 0,
    state: { status: "pending", attempts: 1 },
    activation,
    method,
    chain: message.chain,
    joined: new Set(),
    caller: message.caller,
    requestId: message.requestId,
    traceparent: message.traceparent,
    waiters: new Set(),
    alongside,
    handed: false,
    written: false,
    accepted: false,
    started: false,
    driving: false,
    crashes: 0,
    trouble: undefined,
    refused: false,
    counted: undefined,
  };
}

/** An entry for a call that was accepted before; `crashed` when the process that had it ended by itself. */
export function resumedEntry(
  stored: WaitingCall,
  activation: TurnActivation,
  method: MethodDefinition,
  crashed: boolean,
): Entry {
  const { record } = stored;
  return {
    key: keyOf(record),
    stored,
    held: false,
    parsed: undefined,
    requestBytes: stored.bytes,
    state: { status: "pending", attempts: record.attempts },
    activation,
    method,
    chain: undefined,
    joined: new Set(),
    caller: record.caller === null ? { kind: "system" } : (JSON.parse(record.caller) as Caller),
    requestId: record.callId,
    traceparent: undefined,
    waiters: new Set(),
    alongside: undefined,
    handed: false,
    written: true,
    accepted: true,
    started: crashed,
    driving: false,
    crashes: crashed ? stored.crashes + 1 : stored.crashes,
    trouble: undefined,
    refused: false,
    counted: undefined,
  };
}

/** The parsed request, once: what a turn makes of it is no other attempt's. */
export function takeParsed(entry: Entry): unknown {
  const request = entry.parsed?.request;
  entry.parsed = undefined;
  return request;
}

/** Lets go of the request: the table has it. */
export function letGo(entry: Entry): void {
  entry.parsed = undefined;
  if (!entry.held || entry.stored.record.request === null) return;
  entry.stored = { ...entry.stored, record: { ...entry.stored.record, request: null } };
  entry.held = false;
}

/** The database has refused a commit with it, or what its turn began from. A full disk is not the call's fault. */
export function blame(entry: Entry, error: EdgeverseError): void {
  if (error.code === "COMMIT_REFUSED") entry.crashes++;
  entry.trouble = error.toWire();
}

export function isExpired({ stored }: Entry, now: number): boolean {
  return now >= (stored.record.expiresAt ?? Number.POSITIVE_INFINITY);
}
