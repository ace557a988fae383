import type { CallMessage } from "../../src/object/message.ts";
import type { MethodDefinition, TypeDefinition } from "../../src/object/registry.ts";
import { type Entry, newEntry, resumedEntry } from "../../src/partition/calls/call-entry.ts";
import type { StoredCall } from "../../src/partition/storage/stored-call.ts";
import { Activation } from "../../src/partition/turns/activation.ts";
import type { Turn } from "../../src/partition/turns/turn.ts";
import { callRecord } from "../support/call-records.ts";

export const NOW = 1_000;

const method = { name: "m", log: "write-behind" } as MethodDefinition;

export function activationOf(id: string, position = 7) {
  return new Activation<Turn>({ type: "T" } as TypeDefinition, id, position, 1, 3);
}

/** A call as a partition takes it, with this request. */
export function takenEntry(callId: string, activation = activationOf("a"), changes: Partial<CallMessage> = {}): Entry {
  const message: CallMessage = {
    type: "T",
    id: activation.id,
    method: "m",
    deadline: NOW + 500,
    requestId: "r",
    caller: { kind: "system" },
    reliable: { callId, answer: "outcome" },
    ...changes,
  };
  return newEntry(message, activation, method, "hash", "write-behind", 1, NOW);
}

/** A call that has not ended, in the table. */
export function pendingCall(
  callId: string,
  seq: number,
  changes: Partial<StoredCall["record"]> = {},
  position = 7,
): StoredCall {
  const open = { status: "pending", response: null, finishedAt: null } as const;
  const record = callRecord({ ...open, type: "T", id: "a", callId, acceptedAt: NOW, ...changes });
  return { seq, position, log: "write-behind", crashes: 0, logged: false, record };
}

/** A call as a process finds it in the table. */
export function foundEntry(callId: string, seq: number, activation = activationOf("a"), crashed = false): Entry {
  const { record, ...rest } = pendingCall(callId, seq, { id: activation.id }, activation.position);
  return resumedEntry({ ...rest, bytes: 7, record: { ...record, request: null } }, activation, method, crashed);
}
