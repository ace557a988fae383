/** How a bucket fills: a token every `interval` ms, until it holds `depth` ms' worth of them. */
export interface Pace {
  readonly interval: number;
  readonly depth: number;
}

/** A share of a token that rounding may cost. */
const ROUNDING = 1e-6;

export function paceOf({ rate, burst }: { readonly rate: number; readonly burst: number }): Pace {
  const interval = 1_000 / rate;
  return { interval, depth: burst * interval };
}

/**
 * Token buckets as one number each: the time at which the bucket is full again. What it lacks until then is its debt, in ms.
 * Source of the algorithm: the generic cell rate algorithm in its form of virtual scheduling, ITU-T I.371, where the number is
 * called the theoretical arrival time.
 *
 * In any time `t`, what is taken is at most the burst and `t` times the rate: taking moves the number on by what was taken, and
 * it is never more than `depth` ahead of the time.
 */
export function debtOf(full: number, now: number): number {
  return Math.max(0, full - now);
}

/** Ms until `cost` tokens can be taken; 0 when they can be now. */
export function waitFor(debt: number, cost: number, { interval, depth }: Pace): number {
  const over = debt + cost * interval - depth;
  return over <= interval * ROUNDING ? 0 : over;
}

/** Whole tokens that can be taken now. */
export function tokensLeft(debt: number, { interval, depth }: Pace): number {
  return Math.max(0, Math.floor((depth - debt) / interval + ROUNDING));
}
