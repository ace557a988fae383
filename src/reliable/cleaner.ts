import { inParallel } from "../platform/in-parallel.ts";
import type { CleanupReport } from "./maintenance-report.ts";
import type { MarkCursor } from "./mark-sweep.ts";
import { CONCURRENCY, PatientAsker, rotated, UPKEEP_TIME, type UpkeepParts } from "./owners.ts";
import type { CallLog } from "./ports.ts";
import { UpkeepBudget } from "./upkeep-budget.ts";

/** Rows of one statement. */
const ROWS = 1_000;

/** Removes what is older than the retention ([CALL9]): rows of the log, if there is one, and marks at their owners. */
export class Cleaner {
  readonly #parts: UpkeepParts & { readonly log: CallLog | undefined };

  constructor(parts: UpkeepParts & { readonly log: CallLog | undefined }) {
    this.#parts = parts;
  }

  /** @throws EdgeverseError `LOG_UNAVAILABLE`, after the marks were removed */
  async run({ olderThan, dryRun }: { olderThan: number | null; dryRun: boolean }): Promise<CleanupReport> {
    const { clock, router, config } = this.#parts;
    const now = clock.now();
    const age = olderThan ?? config.retention;
    await router.refresh();
    // Without its mark a call could run again: an operator can't remove one sooner.
    const marks = await this.#removeMarks(now - Math.max(age, config.retention), dryRun);
    const rows = await this.#removeRows(now - age, dryRun);
    return {
      dryRun,
      before: now - age,
      counts: rows.counts,
      marks: marks.count,
      silent: marks.silent,
      complete: rows.complete && marks.complete,
    };
  }

  async #removeRows(before: number, dryRun: boolean) {
    const counts = { success: 0, failed: 0, expired: 0 };
    const { log } = this.#parts;
    if (log === undefined) return { counts, complete: true };
    if (dryRun) return { counts: await log.countFinished(before), complete: true };
    for (const budget = this.#budget(); budget.take(); ) {
      const removed = await log.removeFinished(before, ROWS);
      counts.success += removed.success;
      counts.failed += removed.failed;
      counts.expired += removed.expired;
      if (removed.success + removed.failed + removed.expired < ROWS) return { counts, complete: true };
    }
    return { counts, complete: false };
  }

  /** Goes round the partitions, a step of each in turn: none takes the time of the others. */
  async #removeMarks(before: number, dryRun: boolean) {
    const { router, clock } = this.#parts;
    const budget = this.#budget();
    const asker = new PatientAsker(this.#parts);
    const cursors = new Map<string, MarkCursor>();
    let count = 0;
    let complete = true;
    for (let left = rotated(router.map.partitions, clock.now() / 1_000); left.length > 0; ) {
      const more: string[] = [];
      await inParallel(left, CONCURRENCY, async (partition) => {
        if (!budget.take()) {
          complete = false;
          return;
        }
        const after = cursors.get(partition) ?? null;
        const step = await asker.ask(partition, (owner) => owner.sweepMarks({ before, after, dryRun }));
        count += step?.removed ?? 0;
        if (step === undefined) complete = false;
        else if (step.next !== null) {
          cursors.set(partition, step.next);
          more.push(partition);
        }
      });
      left = more;
    }
    return { count, complete, silent: [...asker.silent].sort() };
  }

  #budget(): UpkeepBudget {
    return new UpkeepBudget(this.#parts.clock, {
      messages: Math.ceil(this.#parts.config.upkeepMessages / 2),
      time: UPKEEP_TIME / 2,
    });
  }
}
