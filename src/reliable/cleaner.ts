import { inParallel } from "../platform/in-parallel.ts";
import type { CleanupReport } from "./maintenance-report.ts";
import type { MarkCursor } from "./mark-sweep.ts";
import { CONCURRENCY, PatientAsker, rotated, UPKEEP_TIME, type UpkeepParts } from "./owners.ts";
import { type CallLog, type FinalCounts, NONE_FINAL, sumOf } from "./ports.ts";
import { UpkeepBudget } from "./upkeep-budget.ts";

/** Rows of one statement. */
const ROWS = 1_000;

/** What finished before a time is old; types that are kept for another while have a time of their own. */
interface Cut {
  readonly before: number;
  readonly types: Readonly<Record<string, number>>;
}

/** Removes what is older than the retention ([CALL9]): marks at their owners, and rows of a log in Postgres. */
export class Cleaner {
  readonly #parts: UpkeepParts & { readonly log: CallLog | undefined };

  constructor(parts: UpkeepParts & { readonly log: CallLog | undefined }) {
    this.#parts = parts;
  }

  /** @throws EdgeverseError `LOG_UNAVAILABLE`, after the marks were removed */
  async run({ olderThan, dryRun }: { olderThan: number | null; dryRun: boolean }): Promise<CleanupReport> {
    const { clock, router, config, log } = this.#parts;
    const now = clock.now();
    await router.refresh();
    // Without its mark a call could run again: an operator can't remove one sooner.
    const marks = await this.#removeMarks(
      this.#cut((retention) => now - Math.max(olderThan ?? 0, retention)),
      dryRun,
    );
    const cut = this.#cut((retention) => now - (olderThan ?? retention));
    const rows = log === undefined ? marks : await this.#removeRows(log, cut, dryRun);
    return {
      dryRun,
      before: now - (olderThan ?? config.retention),
      counts: rows.counts,
      marks: sumOf(marks.counts),
      silent: marks.silent,
      complete: rows.complete && marks.complete,
    };
  }

  /** @param time what is old, by how long it is to be kept */
  #cut(time: (retention: number) => number): Cut {
    const { config, registry } = this.#parts;
    const own = registry.types.flatMap(({ type, retention }) =>
      retention === undefined ? [] : [[type, time(retention)] as const],
    );
    return { before: time(config.retention), types: Object.fromEntries(own) };
  }

  async #removeRows(log: CallLog, { before, types }: Cut, dryRun: boolean) {
    const counts = { ...NONE_FINAL };
    if (dryRun) return { counts: await log.countFinished(before, types), complete: true };
    for (const budget = this.#budget(); budget.take(); ) {
      const removed = await log.removeFinished(before, ROWS, types);
      add(counts, removed);
      if (sumOf(removed) < ROWS) return { counts, complete: true };
    }
    return { counts, complete: false };
  }

  /** Goes round the partitions, a step of each in turn: none takes the time of the others. */
  async #removeMarks(cut: Cut, dryRun: boolean) {
    const { router, clock } = this.#parts;
    const budget = this.#budget();
    const asker = new PatientAsker(this.#parts);
    const cursors = new Map<string, MarkCursor>();
    const counts = { ...NONE_FINAL };
    let complete = true;
    for (let left = rotated(router.map.partitions, clock.now() / 1_000); left.length > 0; ) {
      const more: string[] = [];
      await inParallel(left, CONCURRENCY, async (partition) => {
        if (!budget.take()) {
          complete = false;
          return;
        }
        const after = cursors.get(partition) ?? null;
        const step = await asker.ask(partition, (owner) => owner.sweepMarks({ ...cut, after, dryRun }));
        add(counts, step?.removed ?? NONE_FINAL);
        if (step === undefined) complete = false;
        else if (step.next !== null) {
          cursors.set(partition, step.next);
          more.push(partition);
        }
      });
      left = more;
    }
    return { counts, complete, silent: [...asker.silent].sort() };
  }

  #budget(): UpkeepBudget {
    return new UpkeepBudget(this.#parts.clock, {
      messages: Math.ceil(this.#parts.config.upkeepMessages / 2),
      time: UPKEEP_TIME / 2,
    });
  }
}

function add(counts: FinalCounts, more: FinalCounts): void {
  counts.success += more.success;
  counts.failed += more.failed;
  counts.expired += more.expired;
}
