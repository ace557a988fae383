import { EdgeverseError, type WireError } from "../../errors/edgeverse-error.ts";
import { parseJson } from "../../object/json.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import { FARTHEST } from "../../object/reminder.ts";
import { checkCallIdAge } from "../../reliable/call-id.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import { checkSame } from "../../reliable/fingerprint.ts";
import type { OwnedRow } from "../storage/commit-batch.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import { readable } from "../storage/refusal.ts";
import { callName, type ReminderPlace, reminderBytes, type StoredReminder } from "../storage/reminder-rows.ts";
import type { TurnActivation } from "../turns/turn.ts";
import type { ReminderParts } from "./reminder-parts.ts";
import type { ReminderChange, ReminderOwner } from "./reminder-table.ts";
import type { CallRule } from "./rule.ts";

/** Calls of one object that wait. */
const MOST = 1_000;

/** The reminders that they are among. */
interface Reminders {
  unsaved(place: ReminderPlace): StoredReminder | null | undefined;
  /** Calls of an object that wait, or are about to. */
  countCalls(owner: ReminderOwner): number;
  checkRoom(bytes: number): void;
  publish(member: CommitMember, changes: readonly ReminderChange[]): void;
}

/**
 * Reliable calls that wait for their time ([TIME7]): each is a reminder that has its call's own id, and ends in the commit of
 * the call. Until then it is no call: it is in no line, in no memory, and not in the log.
 */
export class ScheduledCalls {
  readonly #parts: ReminderParts;
  readonly #reminders: Reminders;
  /** Whether there may be any: calls that come are looked up only then. */
  #some: boolean | undefined;

  constructor(parts: ReminderParts, reminders: Reminders) {
    this.#parts = parts;
    this.#reminders = reminders;
  }

  /** Others may have come with a shard. Those that are known may have yet to reach the table. */
  resume(): void {
    if (this.#some === false) this.#some = undefined;
  }

  /**
   * What becomes of a call of which no mark is known: the answer if it is to wait, what ends its waiting if it is to run now;
   * undefined for all others. One that is not known is charged: one that has waited was, when it came.
   * @throws EdgeverseError `CALL_ID_REUSED`, `INVALID_ARGUMENT`, `EXPIRED_CALL_ID`, `OVERLOADED`
   */
  meet(
    message: CallMessage,
    activation: TurnActivation,
    print: string,
    charge?: () => void,
  ): Promise<Reply> | OwnedRow | undefined {
    const { table, now } = this.#parts;
    const { callId = "", notBefore = 0 } = message.reliable ?? {};
    const later = notBefore > now();
    this.#some ??= readable(() => table.hasCalls());
    if (!later && !this.#some) {
      charge?.();
      return undefined;
    }
    const place: ReminderPlace = [activation.position, message.type, message.id, callName(callId)];
    const known = this.#find(place);
    if (known !== undefined) checkSame({ method: known.method, requestHash: ruleOf(known).hash }, print);
    if (known === undefined) charge?.();
    if (later) return this.#keep(message, activation, place, print, known);
    return known && { bulk: table.write, row: { kind: "advance", reminder: known, next: undefined } };
  }

  /** Lets go of a call that waits. One that is on its way into the line of its object must not be asked for. */
  async cancel(place: ReminderPlace): Promise<void> {
    const { commit } = this.#parts;
    if (this.#find(place) === undefined) return;
    const owner = { unit: undefined };
    this.#reminders.publish(owner, [{ kind: "forget", place }]);
    await new Promise<void>((resolve, reject) => {
      commit.settled(owner, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** A call that waits, as its status shows it. */
  record(place: ReminderPlace, where: { readonly shard: number; readonly epoch: number }): CallRecord | undefined {
    const known = this.#find(place);
    if (known === undefined) return undefined;
    const { callId, hash, since, expiresAt = null } = ruleOf(known);
    return {
      ...where,
      type: known.place[1],
      id: known.place[2],
      callId,
      method: known.method,
      request: null,
      requestHash: hash,
      status: "pending",
      response: null,
      error: known.error === null ? null : (parseJson(known.error) as WireError),
      caller: known.caller,
      traceId: known.traceparent?.split("-")[1] ?? null,
      attempts: known.attempts,
      acceptedAt: since,
      finishedAt: null,
      expiresAt,
      notBefore: known.due,
    };
  }

  #keep(
    message: CallMessage,
    activation: TurnActivation,
    place: ReminderPlace,
    print: string,
    known: StoredReminder | undefined,
  ): Promise<Reply> {
    const { config, random, now } = this.#parts;
    const { callId, notBefore: due = 0, log, expiresAt } = message.reliable as NonNullable<CallMessage["reliable"]>;
    if (known?.due === due) return this.#stored(activation, callId, due);
    if (due > now() + FARTHEST)
      throw new EdgeverseError(
        "INVALID_ARGUMENT",
        "Cannot call that late: a call may wait for a hundred years at most",
      );
    if (known === undefined) {
      checkCallIdAge(callId, now(), activation.definition.retention ?? config.retention);
      this.#checkCount(activation);
    }
    const rule: CallRule = {
      kind: "call",
      callId,
      hash: print,
      since: now(),
      ...(log === undefined ? {} : { log }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    const request = message.request ?? null;
    const reminder: StoredReminder = {
      place,
      setting: random.uuid(),
      due,
      wake: due,
      last: null,
      attempts: 0,
      error: null,
      rule: JSON.stringify(rule),
      method: message.method,
      caller: JSON.stringify(message.caller),
      requestId: message.requestId,
      traceparent: message.traceparent ?? null,
      bytes: request?.length ?? 0,
    };
    this.#reminders.checkRoom(reminderBytes(reminder));
    this.#some = true;
    this.#reminders.publish(activation, [{ kind: "set", reminder, request }]);
    return this.#stored(activation, callId, due);
  }

  /** @throws EdgeverseError `OVERLOADED` */
  #checkCount({ position, definition, id, key }: TurnActivation): void {
    if (this.#reminders.countCalls([position, definition.type, id]) < MOST) return;
    throw new EdgeverseError("OVERLOADED", `${MOST} calls of ${key} wait for their time`, { retryAfter: 5 });
  }

  async #stored(activation: TurnActivation, callId: string, notBefore: number): Promise<Reply> {
    try {
      await this.#parts.commit.durable(activation);
      return { kind: "accepted", callId, notBefore };
    } catch (error) {
      return { kind: "error", error: EdgeverseError.from(error).toWire() };
    }
  }

  #find(place: ReminderPlace): StoredReminder | undefined {
    const unsaved = this.#reminders.unsaved(place);
    return unsaved === undefined ? readable(() => this.#parts.table.find(place)) : (unsaved ?? undefined);
  }
}

function ruleOf({ rule }: StoredReminder): CallRule {
  return parseJson(rule) as CallRule;
}
