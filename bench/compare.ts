import { median } from "./median.ts";

/** "`of` is so many times `to`", by the names of two cases of a group. */
export interface Comparison {
  readonly of: string;
  readonly to: string;
  /** The target, if there is one. */
  readonly atLeast?: number;
}

export interface Compared extends Comparison {
  /** Median of the rounds' ratios: a ratio within a round is free of the machine's drift, a ratio of medians is not. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  /** Undefined without a target. */
  readonly met?: boolean;
}

/** @param perSecond by the name of the case, one rate a round */
export function compare(comparison: Comparison, perSecond: ReadonlyMap<string, readonly number[]>): Compared {
  const above = perSecond.get(comparison.of) ?? [];
  const below = perSecond.get(comparison.to) ?? [];
  const ratios = above.map((rate, round) => rate / (below[round] ?? Number.NaN));
  const ratio = median(ratios);
  return {
    ...comparison,
    ratio,
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    ...(comparison.atLeast === undefined ? {} : { met: ratio >= comparison.atLeast }),
  };
}
