import { isCall, type StoredReminder } from "../storage/reminder-rows.ts";
import type { ReminderChange, ReminderOwner } from "./reminder-table.ts";

/** Changes that the next commit brings to the table, so that turns and the clock see them before that. */
export class UnsavedReminders {
  readonly #objects = new Map<string, Set<ReminderChange>>();

  add(change: ReminderChange): void {
    const key = keyOf(ownerOf(change));
    const known = this.#objects.get(key);
    if (known === undefined) this.#objects.set(key, new Set([change]));
    else known.add(change);
  }

  /** It is in the table, or never will be. */
  remove(change: ReminderChange): void {
    const key = keyOf(ownerOf(change));
    const known = this.#objects.get(key);
    known?.delete(change);
    if (known?.size === 0) this.#objects.delete(key);
  }

  /** Whether a change of the reminder is on its way. */
  has(owner: ReminderOwner, name: string): boolean {
    for (const change of this.#objects.get(keyOf(owner)) ?? []) {
      if (change.kind === "clear" ? !isCall(name) : nameOf(change) === name) return true;
    }
    return false;
  }

  /** A call's reminder as it is to be: null when it is to be gone, undefined when it stays what it is. */
  call(owner: ReminderOwner, name: string): StoredReminder | null | undefined {
    let found: StoredReminder | null | undefined;
    for (const change of this.#objects.get(keyOf(owner)) ?? []) {
      if (change.kind === "clear" || nameOf(change) !== name) continue;
      if (change.kind === "set") found = change.reminder;
      else if (change.kind === "forget") found = null;
    }
    return found;
  }

  /** How many calls of an object are on their way into the table. */
  countCalls(owner: ReminderOwner): number {
    let count = 0;
    for (const change of this.#objects.get(keyOf(owner)) ?? [])
      if (change.kind === "set" && isCall(nameOf(change))) count++;
    return count;
  }

  /** Applies what is on its way to an object's reminders, as they are in the table. */
  apply(owner: ReminderOwner, reminders: Map<string, number>): void {
    // The token of a setting decides: the clock's change of one that was set anew meanwhile has no effect.
    const settings = new Map<string, string>();
    for (const change of this.#objects.get(keyOf(owner)) ?? []) {
      if (change.kind === "clear") reminders.clear();
      else if (isCall(nameOf(change))) continue;
      else if (change.kind === "forget") reminders.delete(nameOf(change));
      else if (change.kind === "set") {
        reminders.set(nameOf(change), change.reminder.due);
        settings.set(nameOf(change), change.reminder.setting);
      } else if (change.kind === "advance" && !isStale(change, reminders, settings)) {
        if (change.next === undefined) reminders.delete(nameOf(change));
        else reminders.set(nameOf(change), change.next);
      }
    }
  }
}

type ClockChange = Extract<ReminderChange, { kind: "advance" }>;

function isStale(
  change: ClockChange,
  reminders: ReadonlyMap<string, number>,
  settings: ReadonlyMap<string, string>,
): boolean {
  const name = nameOf(change);
  const setting = settings.get(name);
  return reminders.get(name) !== change.reminder.due || (setting !== undefined && setting !== change.reminder.setting);
}

function nameOf(change: Exclude<ReminderChange, { kind: "clear" }>): string {
  return (change.kind === "forget" ? change.place : change.reminder.place)[3];
}

function ownerOf(change: ReminderChange): ReminderOwner {
  if (change.kind === "clear") return change.owner;
  const [position, type, id] = change.kind === "forget" ? change.place : change.reminder.place;
  return [position, type, id];
}

function keyOf([position, type, id]: ReminderOwner): string {
  return `${position} ${type}/${id}`;
}
