import type { Caller } from "../../object/call.ts";
import type { CallMessage, ChainLink, Reply } from "../../object/message.ts";
import type { LogPolicy } from "../../object/method.ts";
import type { MethodDefinition } from "../../object/registry.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import type { CallState } from "../../reliable/call-state.ts";
import type { TurnActivation } from "../turns/turn.ts";
import type { StoredCall } from "./call-table.ts";

/** A reliable call in memory, from its arrival until its outcome is durable. */
export interface Entry {
  stored: StoredCall;
  state: CallState;
  readonly activation: TurnActivation;
  readonly method: MethodDefinition;
  /** Turns that wait for the outcome; lost in a crash, and then nobody waits. */
  readonly chain: readonly ChainLink[] | undefined;
  readonly caller: Caller;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly waiters: Set<(reply: Reply | undefined) => void>;
  accepted: boolean;
  /** Its turn may have run before: in this process, or in one that ended. */
  started: boolean;
  /** Its turn was started, or is about to be, and has not ended. */
  driving: boolean;
  /** Processes in a row that ended while it ran, or might have. */
  crashes: number;
}

export function entryKey(activation: TurnActivation, callId: string): string {
  return `${activation.key}\n${callId}`;
}

export function newEntry(
  message: CallMessage,
  activation: TurnActivation,
  method: MethodDefinition,
  requestHash: string,
  log: LogPolicy,
  shard: number,
  now: number,
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
    stored: { seq: 0, position: activation.position, log, open: true, crashes: 0, record },
    state: { status: "pending", attempts: 1 },
    activation,
    method,
    chain: message.chain,
    caller: message.caller,
    requestId: message.requestId,
    traceparent: message.traceparent,
    waiters: new Set(),
    accepted: false,
    started: false,
    driving: false,
    crashes: 0,
  };
}

/** An entry for a call that was accepted before; `crashed` when the process that had it ended by itself. */
export function resumedEntry(
  stored: StoredCall,
  activation: TurnActivation,
  method: MethodDefinition,
  crashed: boolean,
): Entry {
  const { record } = stored;
  return {
    stored,
    state: { status: "pending", attempts: record.attempts },
    activation,
    method,
    chain: undefined,
    caller: record.caller === null ? { kind: "system" } : (JSON.parse(record.caller) as Caller),
    requestId: record.callId,
    traceparent: undefined,
    waiters: new Set(),
    accepted: true,
    started: crashed,
    driving: false,
    crashes: crashed ? stored.crashes + 1 : stored.crashes,
  };
}
