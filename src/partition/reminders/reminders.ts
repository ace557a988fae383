import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import { readable } from "../storage/refusal.ts";
import { type ReminderPlace, reminderBytes, type StoredReminder } from "../storage/reminder-rows.ts";
import type { HashRange } from "../storage/shard-rows.ts";
import { TableReads } from "../turns/table-reads.ts";
import { DueCalls } from "./due-calls.ts";
import type { ReminderParts } from "./reminder-parts.ts";
import { type Cursor, type ReminderChange, type ReminderOwner, START } from "./reminder-table.ts";
import { ScheduledCalls } from "./scheduled-calls.ts";
import { UnsavedReminders } from "./unsaved-reminders.ts";

/** Reminders that are taken up together, and characters of their requests unless one has more. Between batches others' turns go on. */
const BATCH = { reminders: 100, characters: 1024 * 1024 };
/** Ms that the next batch waits for one that is not stored. */
const PATIENCE = 1_000;
/** Refused ones that a new process looks at again at once. */
const MOST_ANEW = 1_000;

/**
 * Calls objects when they want to be called ([TIME1]). What becomes of a reminder:
 *
 * | step          | durable                                                       | a crash here                       |
 * |---------------|---------------------------------------------------------------|------------------------------------|
 * | set by a turn | – (part of the turn)                                          | the turn never was                 |
 * | commit        | its row, with what the turn did                               | the alarm is at its time           |
 * | due           | the same                                                      | the next process sees that it is due |
 * | call accepted | the call, and the row's next due time or its end: one commit  | the call is resumed ([CALL3])      |
 * | call refused  | when to look at the row again                                 | that much sooner                   |
 *
 * Sleeping ones are in no memory: the table has an index by time, and one look-up finds the next. Those that are due are taken
 * up in batches, each when the one before is committed.
 */
export class Reminders {
  readonly scheduled: ScheduledCalls;
  readonly #parts: ReminderParts;
  readonly #unsaved = new UnsavedReminders();
  readonly #calls: DueCalls;
  readonly #reads: TableReads;
  /** Shards whose reminders are another partition's, or soon. */
  readonly #released = new Set<number>();
  /** A batch is under way. */
  #busy = false;
  /** Something became due, or came, while a batch was under way. */
  #more = false;
  #coming = 0;

  constructor(parts: ReminderParts) {
    this.#parts = parts;
    this.#reads = new TableReads(parts, () => this.look());
    this.#calls = new DueCalls(parts, this.#unsaved);
    this.scheduled = new ScheduledCalls(parts, this);
  }

  /** Reminders that are stored, and roughly how many bytes they take. */
  get size(): { readonly rows: number; readonly bytes: number } {
    return this.#parts.table.size;
  }

  /** Those whose last call was refused; counted to 10,000. */
  get refused(): number {
    return this.#parts.table.countRefused(10_000);
  }

  /** What it has done since it started. */
  get stats() {
    return this.#calls.stats;
  }

  /** When to be woken if this process ends; undefined when there is nothing to do. */
  get wakeTime(): number | undefined {
    const { table, now } = this.#parts;
    return this.#busy || this.#calls.under > 0 || this.#coming > 0 ? this.#reads.soon : table.nextWake(now());
  }

  /** @throws EdgeverseError `OVERLOADED` when reminders of `bytes` more may not be taken */
  checkRoom(bytes: number): void {
    const { table, config } = this.#parts;
    const size = readable(() => table.size);
    if (size.bytes + this.#coming + bytes <= config.reminders) return;
    throw new EdgeverseError(
      "OVERLOADED",
      `The objects of this partition have ${size.rows} reminders: ${size.bytes} bytes of ${config.reminders}`,
      { retryAfter: 5 },
    );
  }

  /** Due times of an object's reminders by name, also of those that the next commit stores. */
  of(owner: ReminderOwner): Map<string, number> {
    const stored = readable(() => this.#parts.table.of(owner));
    const found = new Map(stored.map(({ name, due }) => [name, due]));
    this.#unsaved.apply(owner, found);
    return found;
  }

  /** A call's reminder as the next commit leaves it: null when it is gone, undefined when it stays what it is. */
  unsaved([position, type, id, name]: ReminderPlace): StoredReminder | null | undefined {
    return this.#unsaved.call([position, type, id], name);
  }

  /** Calls of an object that wait for their time, or are about to ([TIME7]). */
  countCalls(owner: ReminderOwner): number {
    return readable(() => this.#parts.table.countCalls(owner)) + this.#unsaved.countCalls(owner);
  }

  /** Stores what a turn has set and forgotten with what else `member` does. */
  publish(member: CommitMember, changes: readonly ReminderChange[]): void {
    const { commit, table, now } = this.#parts;
    let bytes = 0;
    let first = Number.POSITIVE_INFINITY;
    for (const change of changes) {
      this.#unsaved.add(change);
      commit.add(member, table.write, change);
      if (change.kind !== "set") continue;
      bytes += reminderBytes(change.reminder);
      first = Math.min(first, change.reminder.due);
    }
    this.#coming += bytes;
    if (bytes > 0) this.#reads.wakeFor(Math.max(first, now()));
    commit.settled(member, (error) => {
      this.#coming -= bytes;
      for (const change of changes) this.#unsaved.remove(change);
      // What was to be forgotten may be due. Not at once: it may be what has set these.
      if (error !== undefined) this.#reads.later(() => this.look());
      else if (bytes > 0) this.#reads.surely(() => this.look());
    });
  }

  /** The object of `member` is deleted, with all its reminders ([LIFE3]). */
  clear(member: CommitMember, owner: ReminderOwner): void {
    this.publish(member, [{ kind: "clear", owner }]);
  }

  /** Takes up what is due, and sees to it that the next one is taken up in time. */
  look(): void {
    if (this.#reads.stopped) return;
    if (this.#busy) this.#more = true;
    else this.#next(START);
  }

  /** Goes on with what the last process left, or with what came with a shard: then `range` is its own. */
  resume(range?: HashRange): void {
    this.scheduled.resume();
    if (range === undefined) this.#reads.surely(() => this.#tryAgain());
    this.#reads.surely(() => this.look());
  }

  /** Until `admit` no reminder of a shard is taken up, or written. */
  release(shard: number): void {
    this.#released.add(shard);
  }

  /** The shard stays, or comes back another time. */
  admit(shard: number): void {
    this.#released.delete(shard);
  }

  stop(): void {
    this.#reads.stop();
  }

  /** Takes up what the last process was refused: this one may have other code. */
  #tryAgain(): void {
    const { table, commit, now } = this.#parts;
    const owner = { unit: undefined };
    const refused = table.refused(MOST_ANEW).filter((reminder) => this.#mayWrite(reminder));
    for (const reminder of refused) {
      commit.add(owner, table.write, { kind: "delay", reminder: { ...reminder, wake: now() } });
    }
    if (refused.length > 0) commit.settled(owner, () => this.#reads.surely(() => this.look()));
  }

  #next(from: Cursor): void {
    const { table, now } = this.#parts;
    const due = table.due(now(), from, BATCH.reminders);
    const last = due.at(-1);
    if (last === undefined) {
      this.#reads.lookAt(table.nextWake(now()));
      return;
    }
    const batch: StoredReminder[] = [];
    let characters = 0;
    let seen = last;
    for (const reminder of due) {
      seen = reminder;
      if (!this.#mayTake(reminder)) continue;
      batch.push(reminder);
      characters += reminder.bytes;
      if (characters >= BATCH.characters) break;
    }
    this.#take(batch, [seen.wake, ...seen.place]);
  }

  /** Takes up a batch, then looks further: when all of it is stored, or some of it, such as a call that waits for the log, takes long. */
  #take(batch: readonly StoredReminder[], reached: Cursor): void {
    const { deadlines, now, wakeBy } = this.#parts;
    wakeBy(this.#reads.soon);
    this.#busy = true;
    let waiting = true;
    const goOn = () => {
      if (!waiting) {
        this.#reads.surely(() => this.look());
        return;
      }
      waiting = false;
      this.#busy = false;
      const from = this.#more ? START : reached;
      this.#more = false;
      this.#reads.surely(() => (this.#busy ? this.look() : this.#next(from)));
    };
    const cancel = deadlines.add(now() + PATIENCE, goOn);
    const mine = (reminder: StoredReminder) => !this.#reads.stopped && this.#mayWrite(reminder);
    void this.#calls.take(batch, mine).then((failed) => {
      cancel();
      if (failed) this.#reads.later(() => this.look());
      goOn();
    });
  }

  #mayTake(reminder: StoredReminder): boolean {
    const [position, type, id, name] = reminder.place;
    return this.#mayWrite(reminder) && !this.#unsaved.has([position, type, id], name);
  }

  #mayWrite({ place: [position] }: StoredReminder): boolean {
    return this.#parts.served(position) && !this.#released.has(this.#parts.shardAt(position));
  }
}
