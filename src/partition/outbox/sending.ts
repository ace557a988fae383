import type { Caller } from "../../object/call.ts";
import { parseJson } from "../../object/json.ts";
import { type CallMessage, objectKey } from "../../object/message.ts";
import type { ObjectRef } from "../../router/directory.ts";
import type { CommitMember, CommitUnit } from "../storage/commit-unit.ts";
import { type Message, outcomeCallId } from "../storage/message-rows.ts";
import { asCaller } from "../turns/turn-context.ts";
import type { Outcome } from "./delivery.ts";

/** Part of all objects: those of one part are on one partition. An object is in the same part for ever, and there are few. */
export type Part = string | number;

/** Sender and receiver. */
export function laneOf({ place: [, type, id], to }: Message): string {
  return `${objectKey(type, id)}\n${objectKey(to.type, to.id)}`;
}

/** A message on its way. */
export class Sending implements CommitMember {
  /** Its removal commits alone: it takes no object down with it. */
  unit: CommitUnit | undefined;
  readonly message: Message;
  /** Where its receiver is. */
  readonly part: Part;
  /** Names it in memory. */
  readonly key: string;
  /** Sender and receiver: messages of one pair leave in order. */
  readonly lane: string;
  /** Attempts in a row that were in vain. */
  attempts = 0;
  /** When the receiver refused it first. */
  refusedAt: number | undefined;
  /** What its outcome method is to hear; undefined while that is not known. */
  outcome: Outcome | undefined;
  /** When it is tried again; undefined while it is under way or in line. */
  again: number | undefined;
  /** Whether it stands in line; the first of its line is sent. */
  inLine = false;
  /** Whether the last write of it is under way. */
  leaving = false;

  constructor(message: Message, part: Part) {
    const [position, type, id, n] = message.place;
    this.message = message;
    this.part = part;
    this.key = `${n} ${position} ${type} ${id}`;
    this.lane = laneOf(message);
  }

  get sender(): ObjectRef {
    const [, type, id] = this.message.place;
    return { type, id };
  }

  get position(): number {
    return this.message.place[0];
  }

  /** The call to the receiver. */
  toReceiver(request: string | null, answer: "accepted" | "outcome", deadline: number): CallMessage {
    const { to, method, callId, requestId, traceparent, expiresAt, log, caller } = this.message;
    return {
      type: to.type,
      id: to.id,
      method,
      ...(request === null ? {} : { request }),
      deadline,
      requestId,
      ...(traceparent === null ? {} : { traceparent }),
      caller: parseJson(caller) as Caller,
      reliable: {
        callId,
        answer,
        ...(log === null ? {} : { log }),
        ...(expiresAt === null ? {} : { expiresAt }),
      },
    };
  }

  /** The call of the sender's outcome method, with the outcome: from the receiver, on behalf of whom the sender acted for. */
  toSender(deadline: number): CallMessage {
    const { place, to, onOutcome, callId, requestId, traceparent, caller } = this.message;
    return {
      type: place[1],
      id: place[2],
      method: onOutcome as string,
      request: JSON.stringify({ callId, ...this.outcome }),
      deadline,
      requestId,
      ...(traceparent === null ? {} : { traceparent }),
      caller: asCaller(to.type, to.id, { callId, caller: parseJson(caller) as Caller }),
      reliable: { callId: outcomeCallId(callId), answer: "accepted" },
    };
  }
}
