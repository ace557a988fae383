/** Ms that a shard's turns have to end at the first attempt, and the factor for each further attempt. */
const FIRST = 100;
const MORE = 4;
/** For a move that is only for balance: the longest wait of callers in ms, and the number of attempts. */
const LONGEST = 2_000;
const TRIES = 5;
/** Ms until a move that has given up may be tried again. */
export const TRY_AGAIN = 60_000;

/** Ms that turns have to end. @param patience of a move that has to be; @param stalled attempts that failed before */
export function drainLimit(patience: number | undefined, stalled: number): number {
  return Math.min(patience ?? LONGEST, FIRST * MORE ** stalled);
}

export function hasTriedEnough(stalled: number): boolean {
  return stalled >= TRIES;
}
