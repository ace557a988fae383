import { Histogram, type HistogramValues } from "./histogram.ts";

/** What became of the reliable calls of one process of a partition. */
export interface CallCounts {
  readonly success: number;
  readonly failed: number;
  readonly expired: number;
  readonly parked: number;
  /** Turns that were started once more. */
  readonly retried: number;
  /** Calls that were answered from a stored outcome. */
  readonly replayed: number;
  /** Ms from the acceptance of a call to its outcome. */
  readonly latency: HistogramValues;
  /** Records that the log took in one go. */
  readonly batch: HistogramValues;
  /** Ms from an outcome to the log, of the oldest in each batch. */
  readonly lag: HistogramValues;
  /** What the reconciler found when the partition asked for it. */
  readonly reconciler: ReconcilerCounts;
}

/** What the reconciler found in the log ([CALL10]). */
export interface Reconciled {
  /** Pending rows looked at. */
  readonly seen: number;
  /** Rows whose owner did not know them: driven. */
  readonly driven: number;
  /** Rows whose owner had finished them: completed in the log. */
  readonly completed: number;
  /** Rows the owner still works on. */
  readonly pending: number;
  /** Rows that can never run (no such type or method, unfit request): failed in the log. */
  readonly refused: number;
  /** Rows whose owner did not answer, or was too busy to take them. */
  readonly unreachable: number;
  /** Rows seen that the budget did not reach. */
  readonly left: number;
}

/** The same of several runs. */
export interface ReconcilerCounts extends Reconciled {
  readonly runs: number;
}

const TIMES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000, 600_000];
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500];

const NONE: ReconcilerCounts = {
  runs: 0,
  seen: 0,
  driven: 0,
  completed: 0,
  pending: 0,
  refused: 0,
  unreachable: 0,
  left: 0,
};

/** Counts what becomes of reliable calls: in memory, in fixed ranges, from the start of the process on. */
export class CallCounters {
  readonly #ended = { success: 0, failed: 0, expired: 0, parked: 0, retried: 0, replayed: 0 };
  readonly #latency = new Histogram(TIMES);
  readonly #batch = new Histogram(SIZES);
  readonly #lag = new Histogram(TIMES);
  #reconciler = NONE;

  /** A call has a durable outcome, `ms` after its acceptance. */
  ended(status: "success" | "failed" | "expired", ms: number): void {
    this.#ended[status]++;
    this.#latency.add(ms);
  }

  count(event: "parked" | "retried" | "replayed"): void {
    this.#ended[event]++;
  }

  /** The log took a batch. @param ms since the oldest outcome in it; undefined when it has none */
  shipped(records: number, ms: number | undefined): void {
    this.#batch.add(records);
    if (ms !== undefined) this.#lag.add(ms);
  }

  reconciled(found: Reconciled): void {
    this.#reconciler = sumOfReconciler(this.#reconciler, { ...found, runs: 1 });
  }

  get values(): CallCounts {
    const [latency, batch, lag] = [this.#latency.values, this.#batch.values, this.#lag.values];
    return { ...this.#ended, latency, batch, lag, reconciler: this.#reconciler };
  }
}

/** What several have counted, together. */
export function sumOfCalls(counts: readonly CallCounts[]): CallCounts {
  return counts.reduce(
    (left, right) => ({
      success: left.success + right.success,
      failed: left.failed + right.failed,
      expired: left.expired + right.expired,
      parked: left.parked + right.parked,
      retried: left.retried + right.retried,
      replayed: left.replayed + right.replayed,
      latency: sumOfHistograms(left.latency, right.latency),
      batch: sumOfHistograms(left.batch, right.batch),
      lag: sumOfHistograms(left.lag, right.lag),
      reconciler: sumOfReconciler(left.reconciler, right.reconciler),
    }),
    new CallCounters().values,
  );
}

function sumOfHistograms(left: HistogramValues, right: HistogramValues): HistogramValues {
  const counts = left.counts.map((count, at) => count + (right.counts[at] ?? 0));
  return { bounds: left.bounds, counts, sum: left.sum + right.sum };
}

function sumOfReconciler(left: ReconcilerCounts, right: ReconcilerCounts): ReconcilerCounts {
  return {
    runs: left.runs + right.runs,
    seen: left.seen + right.seen,
    driven: left.driven + right.driven,
    completed: left.completed + right.completed,
    pending: left.pending + right.pending,
    refused: left.refused + right.refused,
    unreachable: left.unreachable + right.unreachable,
    left: left.left + right.left,
  };
}
