/** Ms that the turns of a shard have to end at the first attempt, and how many times as much at each further one. */
const FIRST = 100;
const MORE = 4;
/** The most that a move which need not be has callers wait, and how often it tries. */
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
