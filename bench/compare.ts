import { median } from "./median.ts";

/** One round of one case; latencies in ms, of a request. */
export interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of workerd for one call, in µs. Time it waits for the disk is not in it. */
  readonly cpuPerCall: number;
}

/** "`of` is so many times `to`", by the names of two cases of a group. */
export interface Comparison {
  readonly of: string;
  readonly to: string;
  /** What is compared; calls per second when absent. */
  readonly by?: "perSecond" | "p99" | "cpuPerCall";
  /** The target, if there is one. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Compared extends Comparison {
  /** Median of the rounds' ratios: a ratio within a round is free of the machine's drift, a ratio of medians is not. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  /** Undefined without a target. */
  readonly met?: boolean;
}

/** @param rounds of each case, by its name */
export function compare(comparison: Comparison, rounds: ReadonlyMap<string, readonly Round[]>): Compared {
  const { of, to, by = "perSecond", atLeast = 0, atMost = Number.POSITIVE_INFINITY } = comparison;
  const below = rounds.get(to) ?? [];
  const ratios = (rounds.get(of) ?? []).map((round, index) => round[by] / (below[index]?.[by] ?? Number.NaN));
  const ratio = median(ratios);
  const hasTarget = comparison.atLeast !== undefined || comparison.atMost !== undefined;
  return {
    ...comparison,
    ratio,
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    ...(hasTarget ? { met: ratio >= atLeast && ratio <= atMost } : {}),
  };
}
