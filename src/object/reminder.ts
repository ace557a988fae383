import { EdgeverseError } from "../errors/edgeverse-error.ts";

interface Options {
  /**
   * Ms over which the due times of many objects are spread: each reminder is late by a part of it, always the same. A year at
   * most, and no more than `every`.
   */
  readonly jitter?: number;
}

/** When a reminder is due. */
export type ReminderTime =
  /** Once, at this time: ms since the epoch. */
  | ({ readonly at: number } & Options)
  /** Once, ms from now. */
  | ({ readonly after: number } & Options)
  /** Again and again, each so many ms after the one before; the first time so many from now. */
  | ({ readonly every: number } & Options)
  /** By a cron expression: minute, hour, day of month, month, day of week; or six fields, with seconds before them. */
  | ({
      readonly cron: string;
      /** Such as "Europe/Berlin". Default: UTC. */
      readonly timeZone?: string;
    } & Options);

/** A reminder that an object has set. */
export interface Reminder {
  readonly name: string;
  /** When it is due next, ms since the epoch. */
  readonly due: number;
}

/** What a method that is called by a reminder knows of it: `this.context.caller.reminder`. */
export interface DueReminder {
  readonly name: string;
  /** The time that it was due. */
  readonly due: number;
  /** Due times that passed since, while it could not run: they are made good by this one call. Counted to 10 for `cron`. */
  readonly missed: number;
}

/** What `this.remind` and the like reach of a turn. */
export interface ObjectReminders {
  /** @returns when it is due */
  set(name: string, time: ReminderTime, method: string, request: unknown): number;
  /** @returns whether there was one */
  forget(name: string): boolean;
  list(): Reminder[];
}

/** Ms to the last due time that can be asked for: a hundred years. */
export const FARTHEST = 100 * 366 * 24 * 60 * 60 * 1_000;
/** Ms that a jitter may have: a year. */
const MOST_JITTER = 366 * 24 * 60 * 60 * 1_000;
/** Ms between two due times, at least. */
const LEAST_EVERY = 1_000;
const NAME = /^[^\p{C}\p{Z}]{1,100}$/u;
const KINDS = ["at", "after", "every", "cron"] as const;

/** @throws EdgeverseError `INVALID_ARGUMENT` */
export function checkReminderName(name: string): void {
  if (typeof name === "string" && NAME.test(name)) return;
  throw unfit("Cannot use the name of a reminder: it must be 1 to 100 visible characters, without spaces");
}

/**
 * Checks what can be without a calendar.
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
export function checkReminderTime(time: ReminderTime, now: number): void {
  const given: Readonly<Record<string, unknown>> = { ...time };
  const kinds = KINDS.filter((kind) => given[kind] !== undefined);
  if (kinds.length !== 1) throw unfit("Cannot set a reminder: say one of at, after, every and cron");
  const { at, after, every, cron, timeZone, jitter = 0 } = given;
  if (every !== undefined) checkNumber("every", every, LEAST_EVERY, FARTHEST);
  checkNumber("jitter", jitter, 0, Math.min(MOST_JITTER, (every as number | undefined) ?? MOST_JITTER));
  // With all of its jitter it is no later than what may be asked for.
  const farthest = FARTHEST - (jitter as number);
  if (at !== undefined) checkNumber("at", at, 0, now + farthest);
  if (after !== undefined) checkNumber("after", after, 0, farthest);
  if (cron !== undefined && typeof cron !== "string") throw unfit("Cannot use cron of a reminder: it must be a text");
  if (timeZone === undefined) return;
  if (cron === undefined) throw unfit("Cannot use timeZone of a reminder without cron");
  if (typeof timeZone !== "string") throw unfit("Cannot use timeZone of a reminder: it must be a text");
}

function checkNumber(option: string, value: unknown, least: number, most: number): void {
  if (typeof value === "number" && value >= least && value <= most) return;
  throw unfit(`Cannot use ${option} of a reminder: it must be a number of ms from ${least} to ${most}`);
}

function unfit(message: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", message);
}
