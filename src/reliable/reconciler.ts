import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { inParallel } from "../platform/in-parallel.ts";
import type { ReconcileReport } from "./maintenance-report.ts";
import { CONCURRENCY, rotated, UPKEEP_TIME, type UpkeepParts } from "./owners.ts";
import type { CallLog, PendingCall } from "./ports.ts";
import { Reconciliation } from "./reconciliation.ts";

/** Rows of one page. */
const PAGE = 1_000;
/** Pages looked at together: the more rows, the fewer messages to each owner. */
const PAGES = 10;
/** An accepted pending row is looked at when its owner has not written it for this long. */
const STALE = 30_000;

/**
 * Finds the log's pending rows that nobody drives ([CALL10], [CALL11]), and settles them with their owners: many rows a
 * message, a chunk of every owner's in turn. A run that its budget ends leaves its place to the next one of this process.
 */
export class Reconciler {
  readonly #parts: UpkeepParts & { readonly log: CallLog };
  /** Where the next run begins; undefined at the oldest row. */
  #after: string | undefined;

  constructor(parts: UpkeepParts & { readonly log: CallLog }) {
    this.#parts = parts;
  }

  /** Safe to repeat, and to run beside another. @throws EdgeverseError `LOG_UNAVAILABLE` */
  async run(): Promise<ReconcileReport> {
    const { clock, router, config } = this.#parts;
    await router.refresh();
    const run = new Reconciliation(this.#parts, { messages: config.upkeepMessages, time: UPKEEP_TIME });
    const staleBefore = clock.now() - STALE;
    const begun = this.#after;
    // What lies before the place where this run began comes last.
    for (const range of begun === undefined ? [{}] : [{ after: begun }, { upTo: begun }])
      if (!(await this.#walk(run, staleBefore, range))) return run.report(false);
    this.#after = undefined;
    return run.report(true);
  }

  /** @returns whether it came to the end of the range */
  async #walk(
    run: Reconciliation,
    staleBefore: number,
    { after, upTo }: { readonly after?: string; readonly upTo?: string },
  ): Promise<boolean> {
    for (let place = after; ; ) {
      this.#after = place;
      const { rows, end } = await this.#window(run, staleBefore, place);
      const inRange = upTo === undefined ? rows : rows.filter(({ seq }) => BigInt(seq) <= BigInt(upTo));
      const settled = await this.#settle(run, inRange);
      if (!settled || end === "budget") return false;
      if (end === "log" || inRange.length < rows.length) return true;
      place = rows.at(-1)?.seq;
    }
  }

  async #window(run: Reconciliation, staleBefore: number, after: string | undefined) {
    const rows: PendingCall[] = [];
    for (let page = 0; page < PAGES; page++) {
      if (!run.budget.take()) return { rows, end: "budget" as const };
      const next = await this.#parts.log.pending({ staleBefore, after: rows.at(-1)?.seq ?? after, limit: PAGE });
      rows.push(...next);
      if (next.length < PAGE) return { rows, end: "log" as const };
    }
    return { rows, end: "window" as const };
  }

  /** @returns whether the budget was enough for all */
  async #settle(run: Reconciliation, rows: readonly PendingCall[]): Promise<boolean> {
    const { router, clock } = this.#parts;
    run.seen(rows.length);
    const owners = new Map<string, PendingCall[]>();
    const never: [PendingCall, EdgeverseError][] = [];
    for (const row of rows) {
      try {
        const owner = router.owner(row);
        const line = owners.get(owner);
        if (line === undefined) owners.set(owner, [row]);
        else line.push(row);
      } catch (error) {
        never.push([row, EdgeverseError.from(error)]);
      }
    }
    await run.refuse(never);
    run.lines = rotated([...owners], clock.now() / 1_000).map(([partition, line]) => ({ partition, rows: line }));
    while (run.lines.length > 0) {
      const { lines } = run;
      run.lines = [];
      await inParallel(lines, CONCURRENCY, (line) => run.serve(line));
    }
    return run.left === 0;
  }
}
