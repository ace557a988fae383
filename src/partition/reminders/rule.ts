import { Cron } from "croner";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { LogPolicy } from "../../object/method.ts";
import type { ReminderTime } from "../../object/reminder.ts";

/** By what rule a reminder is due, as it is stored. */
export type Rule = AuthorRule | CallRule;

/** `late` is its part of the jitter: ms that each due time is later. */
type AuthorRule = { readonly late: number } & (
  | { readonly kind: "once" }
  | { readonly kind: "every"; readonly every: number }
  | { readonly kind: "cron"; readonly cron: string; readonly timeZone: string }
);

/** Once, as the call that a client has asked for ([TIME7]). */
export interface CallRule {
  readonly kind: "call";
  readonly callId: string;
  /** Its fingerprint, see reliable/fingerprint.ts. */
  readonly hash: string;
  /** When it was taken, ms since the epoch. */
  readonly since: number;
  readonly log?: LogPolicy;
  readonly expiresAt?: number;
}

/** Due times that are counted one by one: the calendar takes 0.1 ms for each. */
const MOST_COUNTED = 10;
const KNOWN = new Map<string, Cron>();
const MOST_KNOWN = 256;

/**
 * The rule that an author has asked for, and its first due time.
 * @param share of the jitter that is this reminder's, from 0 to 1
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
export function ruleOf(
  time: ReminderTime,
  now: number,
  share: number,
): { readonly rule: AuthorRule; readonly due: number } {
  const late = Math.floor((time.jitter ?? 0) * share);
  if ("at" in time) return { rule: { kind: "once", late }, due: Math.ceil(time.at) + late };
  if ("after" in time) return { rule: { kind: "once", late }, due: now + Math.ceil(time.after) + late };
  if ("every" in time) {
    const every = Math.ceil(time.every);
    return { rule: { kind: "every", every, late }, due: now + every + late };
  }
  const rule: CronRule = { kind: "cron", cron: time.cron, timeZone: time.timeZone ?? "UTC", late };
  const due = firstOf(rule, now);
  if (due === undefined) throw unfit(rule.cron, "it is never due");
  return { rule, due };
}

/** What is next when a reminder that was due at `due` is taken up at `now`; no `next` after the last time. */
export function advance(
  rule: Rule,
  due: number,
  now: number,
): { readonly missed: number; readonly next: number | undefined } {
  switch (rule.kind) {
    case "once":
    case "call":
      return { missed: 0, next: undefined };
    case "every": {
      const missed = Math.max(0, Math.floor((now - due) / rule.every));
      return { missed, next: due + (missed + 1) * rule.every };
    }
    case "cron": {
      let missed = 0;
      let next = nextOf(rule, due);
      while (next !== undefined && next <= now) {
        missed++;
        next = nextOf(rule, missed < MOST_COUNTED ? next : now);
      }
      return { missed, next };
    }
  }
}

type CronRule = Extract<AuthorRule, { kind: "cron" }>;

/** The first time by an author's expression. @throws EdgeverseError `INVALID_ARGUMENT` when it or the time zone can't be read */
function firstOf(rule: CronRule, now: number): number | undefined {
  // What has a colon would be taken for a date, and a seventh field for a year, which may be too far away.
  if (rule.cron.includes(":") || rule.cron.trim().split(/\s+/).length > 6)
    throw unfit(rule.cron, "it must have five fields, or six with seconds");
  try {
    // The time on the calendar is to come, and not only its late part.
    return nextOf(rule, now + rule.late);
  } catch (cause) {
    if (!isTimeZone(rule.timeZone)) {
      throw unfit(rule.cron, `there is no time zone "${rule.timeZone}": it is a name such as "UTC" or "Europe/Berlin"`);
    }
    throw unfit(rule.cron, String(cause instanceof Error ? cause.message : cause));
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The first due time after `time`. */
function nextOf({ cron, timeZone, late }: CronRule, time: number): number | undefined {
  const next = parsed(cron, timeZone).nextRun(new Date(time - late));
  return next === null ? undefined : next.getTime() + late;
}

function parsed(cron: string, timeZone: string): Cron {
  const key = `${cron}\n${timeZone}`;
  let known = KNOWN.get(key);
  if (known === undefined) {
    known = new Cron(cron, { timezone: timeZone, paused: true });
    if (KNOWN.size >= MOST_KNOWN) KNOWN.clear();
    KNOWN.set(key, known);
  }
  return known;
}

function unfit(cron: string, reason: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", `Cannot set a reminder by "${cron.slice(0, 100)}": ${reason}`);
}
