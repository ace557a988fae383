import type { WireError } from "../../errors/edgeverse-error.ts";
import type { Caller } from "../../object/call.ts";
import { parseJson } from "../../object/json.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import type { CallStatus } from "../../reliable/call-record.ts";
import { retryDelay } from "../../reliable/call-state.ts";
import type { StoredReminder } from "../storage/reminder-rows.ts";
import { errorReply } from "../turns/error-reply.ts";
import type { ReminderParts } from "./reminder-parts.ts";
import type { ReminderChange } from "./reminder-table.ts";
import { advance, type Rule } from "./rule.ts";
import type { UnsavedReminders } from "./unsaved-reminders.ts";

/** Ms that taking a call may take. */
const WITHIN = 10_000;
/** Refusals in a row after which the operator is told, unless time alone heals nothing. */
const TELL_AFTER = 10;
/** Ms until another look at what other code may take, but this code never will. */
const SET_ASIDE = 60 * 60 * 1_000;

/** Makes reliable calls of reminders that are due. */
export class DueCalls {
  readonly stats = { fired: 0, missed: 0, refused: 0 };
  /** Calls that are neither stored nor refused. */
  under = 0;
  readonly #parts: ReminderParts;
  readonly #unsaved: UnsavedReminders;

  constructor(parts: ReminderParts, unsaved: UnsavedReminders) {
    this.#parts = parts;
    this.#unsaved = unsaved;
  }

  /**
   * Resolves when each is accepted or refused, durably. Never rejects.
   * @param mine whether something may still be written of it here
   * @returns whether any is as it was before
   */
  async take(batch: readonly StoredReminder[], mine: (reminder: StoredReminder) => boolean): Promise<boolean> {
    const taken = await Promise.all(batch.map((reminder) => this.#take(reminder, mine)));
    return taken.includes(false);
  }

  async #take(reminder: StoredReminder, mine: (reminder: StoredReminder) => boolean): Promise<boolean> {
    const reply = await this.#call(reminder).catch(errorReply);
    // Its shard leaves: the next owner takes it up.
    if (reply.kind === "moved" || !mine(reminder)) return true;
    if (reply.kind === "error" && !this.#isKnown(reminder)) return await this.#delay(reminder, reply.error);
    return await this.#goOn(reminder);
  }

  /** Whether the call of its due time was taken, though the reply is another's, or the call's own failure. */
  #isKnown({ place: [position, type, id], setting, due }: StoredReminder): boolean {
    return this.#parts.statusOf([position, type, id], callIdOf(setting, due)) !== undefined;
  }

  /** A call that was taken before, because it came from the log, has not moved its reminder on. */
  async #goOn(reminder: StoredReminder): Promise<boolean> {
    const { table, now } = this.#parts;
    if (!table.isAt(reminder)) return true;
    const { next } = advance(parseJson(reminder.rule) as Rule, reminder.due, now());
    return await this.#write({ kind: "advance", reminder, next });
  }

  async #call(reminder: StoredReminder): Promise<Reply> {
    const { take, table, statusOf, now } = this.#parts;
    const { place, setting, due, last, requestId, traceparent } = reminder;
    const [position, type, id] = place;
    // One at a time: what is due meanwhile counts as missed.
    if (last !== null && isOpen(statusOf([position, type, id], callIdOf(setting, last))))
      return { kind: "error", error: STILL_OPEN };
    const rule = parseJson(reminder.rule) as Rule;
    const { missed, next } = advance(rule, due, now());
    const request = table.request(reminder);
    const change: ReminderChange = { kind: "advance", reminder, next };
    const message: CallMessage = {
      type,
      id,
      method: reminder.method,
      ...(request === null ? {} : { request }),
      deadline: now() + WITHIN,
      requestId,
      ...(traceparent === null ? {} : { traceparent }),
      ...addressed(reminder, rule, missed),
    };
    this.#unsaved.add(change);
    this.under++;
    try {
      const reply = await take(message, { bulk: table.write, row: change });
      if (reply.kind === "accepted") {
        this.stats.fired++;
        this.stats.missed += missed;
      }
      return reply;
    } finally {
      this.under--;
      this.#unsaved.remove(change);
    }
  }

  /** It is tried again later. Has no effect on one whose call was accepted, and has failed since. */
  #delay(reminder: StoredReminder, error: WireError): Promise<boolean> {
    const { now, observer } = this.#parts;
    this.stats.refused++;
    const attempts = reminder.attempts + 1;
    const [, type, id, name] = reminder.place;
    const { retryable } = error;
    if (attempts === TELL_AFTER || !retryable) observer.warn("a reminder can't be taken up", { type, id, name, error });
    const wake = now() + (retryable ? retryDelay(attempts) : SET_ASIDE);
    return this.#write({ kind: "delay", reminder: { ...reminder, attempts, wake, error: JSON.stringify(error) } });
  }

  /** Says whether it is stored. */
  #write(change: ReminderChange): Promise<boolean> {
    const { commit, table } = this.#parts;
    const owner = { unit: undefined };
    commit.add(owner, table.write, change);
    return new Promise((resolve) => commit.settled(owner, (failure) => resolve(failure === undefined)));
  }
}

const STILL_OPEN = {
  code: "CONFLICT",
  message: "The call of the due time before has not ended",
  retryable: true,
} as const;

/** Who calls, and under which id. */
function addressed(
  { place: [, , , name], setting, due, caller: text }: StoredReminder,
  rule: Rule,
  missed: number,
): Pick<CallMessage, "caller" | "reliable"> {
  const caller = parseJson(text) as Caller;
  if (rule.kind !== "call") {
    return {
      caller: { ...caller, reminder: { name, due, missed } },
      reliable: { callId: callIdOf(setting, due), answer: "accepted" },
    };
  }
  const { callId, log, expiresAt } = rule;
  return {
    caller,
    reliable: {
      callId,
      answer: "accepted",
      ...(log === undefined ? {} : { log }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
  };
}

function isOpen(status: CallStatus | undefined): boolean {
  return status === "pending" || status === "parked";
}

function callIdOf(setting: string, due: number): string {
  return `${setting}.${due}`;
}
