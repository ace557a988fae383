import type { HandOver } from "../storage/commit-batch.ts";
import type { Message } from "../storage/message-rows.ts";
import type { TurnActivation } from "../turns/turn.ts";
import { checkAdmission, printOf } from "./call-admission.ts";
import type { CallDriver } from "./call-driver.ts";
import { type Entry, newEntry } from "./call-entry.ts";
import type { CallWrites } from "./call-writes.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

interface Parts extends ReliableCallParts {
  readonly open: OpenCalls;
  readonly writes: CallWrites;
  readonly driver: CallDriver;
  readonly accepted: (entry: Entry) => void;
  /** Nothing is left of it in memory. */
  readonly leave: (entry: Entry) => void;
}

/**
 * Calls that objects of this partition have sent, taken in the commit of the turns that sent them ([CALL7]): that commit has
 * the call's outcome, or its acceptance, and no message is stored.
 *
 * | the commit                     | the call                                                        |
 * |--------------------------------|-----------------------------------------------------------------|
 * | succeeds                       | was accepted with it, and is like any other from then on        |
 * | refuses the receiver           | never was; the message is stored in its place, see `salvage`    |
 * | refuses the sender             | never was, nor was the message                                  |
 */
export class HandedCalls {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes a call, if it can be taken now. It may start, and end, before this returns. Says whether it did. */
  take(message: Message, activation: TurnActivation, handOver: Omit<HandOver, "to" | "onRefused">): boolean {
    const { commit, driver, now, open, shardAt, table, writes } = this.#parts;
    const { fresh } = message;
    if (fresh === undefined || !commit.mayHandOver(handOver.from, activation)) return false;
    const call = callOf(message, fresh);
    try {
      if (checkAdmission(this.#parts, open, call, activation, fresh.method, true) !== "write-behind") return false;
    } catch {
      return false;
    }
    const print = printOf(call, fresh.raw);
    const shard = shardAt(activation.position);
    const entry = newEntry(call, activation, fresh.method, print, "write-behind", shard, now());
    if (driver.holdsBack(entry)) return false;
    entry.handed = true;
    entry.parsed = { request: fresh.request };
    entry.stored = { ...entry.stored, seq: table.nextSeq() };
    open.add(entry);
    activation.pendingCalls++;
    // One that waits in line must not start when the one before it leaves: it will leave, too.
    const onRefused = () => {
      entry.refused = true;
    };
    commit.handOver({ ...handOver, to: activation, onRefused });
    writes.arrived(entry);
    commit.settled(activation, (error) => {
      if (!open.has(entry)) return;
      if (error === undefined) this.#parts.accepted(entry);
      else if (entry.state.status === "pending") this.#parts.leave(entry);
    });
    driver.add(entry);
    return true;
  }
}

function callOf(message: Message, { caller }: NonNullable<Message["fresh"]>) {
  const { to, method, request, requestId, traceparent, callId, expiresAt, log } = message;
  return {
    type: to.type,
    id: to.id,
    method,
    ...(request === null || request === undefined ? {} : { request }),
    deadline: Number.POSITIVE_INFINITY,
    requestId,
    ...(traceparent === null ? {} : { traceparent }),
    caller,
    reliable: {
      callId,
      answer: "accepted" as const,
      ...(log === null ? {} : { log }),
      ...(expiresAt === null ? {} : { expiresAt }),
    },
  };
}
