import type { Config } from "../config/config.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { checkType, placementOf } from "../identity/object-id.ts";
import type { CallMessage } from "../object/message.ts";
import type { Clock } from "../platform/ports.ts";
import { checkCallId } from "./call-id.ts";
import type { CallRecord } from "./call-record.ts";
import type { CleanupReport, Maintenance, ReconcileReport } from "./maintenance.ts";
import type { CallLog, FinalCounts, LoggedCall } from "./ports.ts";

/** What upkeep needs of the way to the owners; `Router` and `Connect` fit. */
export interface Owners {
  readonly map: { readonly partitions: readonly string[] };
  call(
    message: CallMessage,
  ): Promise<{ readonly kind: string; readonly error?: { code: string; retryable: boolean; message: string } }>;
  ask<Answer>(
    id: string,
    deadline: number,
    question: (client: OwnerClient) => Promise<Answer | { readonly movedTo: string | null }>,
  ): Promise<Answer>;
}

interface OwnerClient {
  callRecord(
    type: string,
    id: string,
    callId: string,
  ): Promise<CallRecord | null | { readonly movedTo: string | null }>;
  removeMarks(before: number, limit: number, dryRun: boolean): Promise<number>;
}

const BATCH = 500;
/** Batches one reconciliation may take; cron runs again. */
const MAX_BATCHES = 40;
/** Ms, and batches of each kind, that one cleanup may take; what is left waits for the next. */
const CLEANUP_TIME = 20_000;
const CLEANUP_BATCHES = 2_000;
/** Rows driven at the same time. */
const CONCURRENCY = 16;
/** An accepted pending row is looked at when its owner has not written it for this long. */
const STALE = 30_000;
const ASK_TIMEOUT = 10_000;

/** Upkeep of the log over its port and the owners: bounded batches, safe to repeat and to run twice at once. */
export class LogMaintenance implements Maintenance {
  readonly #log: CallLog;
  readonly #router: Owners;
  readonly #connect: (partition: string) => OwnerClient;
  readonly #config: Config;
  readonly #clock: Clock;

  constructor(parts: {
    log: CallLog;
    router: Owners;
    connect: (partition: string) => OwnerClient;
    config: Config;
    clock: Clock;
  }) {
    this.#log = parts.log;
    this.#router = parts.router;
    this.#connect = parts.connect;
    this.#config = parts.config;
    this.#clock = parts.clock;
  }

  async cleanUp({ olderThan, dryRun }: { olderThan: number | null; dryRun: boolean }): Promise<CleanupReport> {
    const now = this.#clock.now();
    const { retention } = this.#config;
    const before = now - (olderThan ?? retention);
    const marksBefore = now - Math.max(olderThan ?? retention, retention);
    const rows = dryRun
      ? { counts: await this.#log.countFinished(before), complete: true }
      : await this.#removeRows(before);
    const marks = await this.#removeMarks(marksBefore, dryRun);
    return { dryRun, before, counts: rows.counts, marks: marks.count, complete: rows.complete && marks.complete };
  }

  async reconcile(): Promise<ReconcileReport> {
    const report = { seen: 0, driven: 0, completed: 0, pending: 0, refused: 0, unreachable: 0, complete: false };
    const staleBefore = this.#clock.now() - STALE;
    let after: string | undefined;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const rows = await this.#log.pending({ staleBefore, limit: BATCH, ...(after === undefined ? {} : { after }) });
      report.seen += rows.length;
      after = rows.at(-1)?.seq;
      const finished: CallRecord[] = [];
      await inParallel(rows, async (row) => {
        const { kind, record } = await this.#reconcileRow(row);
        report[kind]++;
        if (record !== undefined) finished.push(record);
      });
      await this.#complete(finished);
      if (rows.length < BATCH) return { ...report, complete: true };
    }
    return report;
  }

  /** Writes outcomes. What Postgres refuses for what it holds stays pending there, and is seen again. */
  async #complete(finished: readonly CallRecord[]): Promise<void> {
    try {
      if (finished.length > 0) await this.#log.write(finished);
    } catch (error) {
      if (!(error instanceof EdgeverseError) || error.code !== "INVALID_ARGUMENT") throw error;
    }
  }

  /** What becomes of one pending row; `record` is to be written to the log. */
  async #reconcileRow(
    row: LoggedCall,
  ): Promise<{ kind: "driven" | "completed" | "pending" | "refused" | "unreachable"; record?: CallRecord }> {
    const now = this.#clock.now();
    try {
      checkType(row.type);
      placementOf(row.id);
      checkCallId(row.callId);
      const known = await this.#router.ask<CallRecord | null>(row.id, now + ASK_TIMEOUT, (client) =>
        client.callRecord(row.type, row.id, row.callId),
      );
      if (known !== null)
        return known.status === "pending" ? { kind: "pending" } : { kind: "completed", record: known };
      return await this.#drive(row, now);
    } catch (thrown) {
      const error = EdgeverseError.from(thrown);
      return error.code === "INVALID_ID" || error.code === "INVALID_ARGUMENT"
        ? refused(row, error, now)
        : { kind: "unreachable" };
    }
  }

  async #drive(
    row: LoggedCall,
    now: number,
  ): Promise<{ kind: "driven" | "refused" | "unreachable"; record?: CallRecord }> {
    const reply = await this.#router.call({
      type: row.type,
      id: row.id,
      method: row.method,
      ...(row.request === null ? {} : { request: row.request }),
      deadline: now + ASK_TIMEOUT,
      requestId: `reconcile ${row.seq}`,
      caller: { kind: "system" },
      reliable: {
        callId: row.callId,
        answer: "accepted",
        log: "write-behind",
        ...(row.expiresAt === null ? {} : { expiresAt: row.expiresAt }),
      },
    });
    if (reply.error === undefined) return { kind: "driven" };
    if (reply.error.retryable) return { kind: "unreachable" };
    return refused(row, EdgeverseError.from(reply.error), now);
  }

  async #removeRows(before: number): Promise<{ counts: FinalCounts; complete: boolean }> {
    const counts = { success: 0, failed: 0, expired: 0 };
    const until = this.#clock.now() + CLEANUP_TIME;
    for (let batch = 0; batch < CLEANUP_BATCHES && this.#clock.now() < until; batch++) {
      const removed = await this.#log.removeFinished(before, BATCH);
      counts.success += removed.success;
      counts.failed += removed.failed;
      counts.expired += removed.expired;
      if (removed.success + removed.failed + removed.expired < BATCH) return { counts, complete: true };
    }
    return { counts, complete: false };
  }

  async #removeMarks(before: number, dryRun: boolean): Promise<{ count: number; complete: boolean }> {
    let count = 0;
    let complete = true;
    const until = this.#clock.now() + CLEANUP_TIME;
    let batches = 0;
    for (const partition of this.#router.map.partitions) {
      for (;;) {
        const removed = await this.#connect(partition).removeMarks(before, BATCH, dryRun);
        count += removed;
        if (removed < BATCH) break;
        if (dryRun || ++batches >= CLEANUP_BATCHES || this.#clock.now() >= until) {
          complete = false;
          break;
        }
      }
    }
    return { count, complete };
  }
}

/** A row that can never run ends as failed, so that it is not tried for ever. */
function refused(row: LoggedCall, error: EdgeverseError, now: number): { kind: "refused"; record: CallRecord } {
  const { seq: _, ...record } = row;
  return { kind: "refused", record: { ...record, status: "failed", error: error.toWire(), finishedAt: now } };
}

async function inParallel<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
}
