import type { CallCounters } from "../../observe/call-counters.ts";
import { readMeta, writeMeta } from "../../platform/meta.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import { wasWhole } from "../../reliable/maintenance.ts";
import type { ReconcileReport } from "../../reliable/maintenance-report.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  /** Reconciles the log. */
  readonly reconcile: () => Promise<ReconcileReport>;
  readonly counters: CallCounters;
  /** Another alarm may be needed. */
  readonly onDue: () => void;
}

/** In `meta`, while the log may hold orphans. */
const NOTE = "orphans";
/** Ms from the last statement to the look; the reconciler leaves younger rows alone. */
const QUIET = 60_000;
/** Ms from a statement to the look at the latest: statements may never stop. */
const AT_LATEST = 300_000;
const LONGEST_DELAY = 3_600_000;

/**
 * Finds *orphans*: pending rows of `write-ahead` calls that reached the log and were never accepted, because this process
 * ended between the two or the log's answer was lost ([CALL10]). The partition notes that there may be some before it writes
 * the first, and looks once when it has been quiet: so nobody else has to look, and an idle cluster leaves Postgres asleep.
 *
 * | step       | note                 | log                | a crash or a lost answer here                             |
 * |------------|----------------------|--------------------|-----------------------------------------------------------|
 * | note       | stored, with alarm   | –                  | the alarm: nothing is found                               |
 * | log ahead  | there                | maybe pending      | the alarm: the row is found, and its call driven          |
 * | accept     | there                | pending            | the call is resumed; the alarm: its owner knows it        |
 * | look       | removed at the end   | no orphans         | the alarm: looked at once more                            |
 *
 * A look during the minute after a statement does not find that one's row: the note stays, for one more look.
 */
export class OrphanWatch {
  readonly #parts: Parts;
  #noted: boolean;
  #due: number | undefined;
  /** The first statement since the last look. */
  #since: number | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #statements = 0;
  #failures = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#noted = readMeta(parts.storage, NOTE) !== undefined;
    this.#due = this.#noted ? parts.clock.now() + QUIET : undefined;
  }

  /** When to look; undefined while there is no cause. */
  get due(): number | undefined {
    return this.#due;
  }

  /** To be awaited before a statement that writes pending calls ahead. */
  async note(): Promise<void> {
    const { storage, clock, onDue } = this.#parts;
    const now = clock.now();
    this.#statements++;
    this.#since ??= now;
    this.#last = now;
    this.#due = Math.min(now + QUIET, this.#since + AT_LATEST);
    if (this.#noted) return;
    writeMeta(storage, NOTE, String(now));
    onDue();
    await storage.barrier();
    this.#noted = true;
  }

  /** Looks, if it is time to. Never rejects. */
  async look(): Promise<void> {
    const { storage, clock, reconcile, counters } = this.#parts;
    if (this.#due === undefined || clock.now() < this.#due) return;
    const statements = this.#statements;
    const young = this.#last + QUIET > clock.now();
    this.#since = undefined;
    const report = await reconcile().catch(() => undefined);
    if (report !== undefined) counters.reconciled(report);
    const done = report !== undefined && wasWhole(report);
    this.#failures = done ? 0 : this.#failures + 1;
    // What was written ahead in the meantime is looked at when its own time comes.
    if (statements !== this.#statements) return;
    if (done && young) {
      // The reconciler has left its row alone.
      this.#since = this.#last;
      this.#due = this.#last + QUIET;
    } else if (done) {
      storage.query("DELETE FROM meta WHERE key = ?", NOTE);
      this.#noted = false;
      this.#due = undefined;
    } else this.#due = clock.now() + Math.min(LONGEST_DELAY, QUIET * 2 ** Math.min(this.#failures, 10));
  }
}
