import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Turn, TurnActivation } from "./turn.ts";
import { ancestry } from "./turn-chain.ts";

/**
 * The outcome of a turn that was to take an object for a transaction, and would have closed a circle that the transaction's
 * own turn is to open: it begins again ([TX4]). Compared by identity; never leaves the partition.
 */
export const YIELD = new EdgeverseError("DEADLOCK", "The transaction begins again");

/**
 * Of the turns on a circle, the one that begins again so that it opens: the youngest that is about to take objects and has
 * done nothing else. Since the oldest is never chosen while there is another, each gets its objects in the end. One that is
 * called by a turn of the circle is of no use: that turn would wait for it again.
 *
 * @param turn its wait would close the circle
 * @param cycle the objects on the way round from its object to a caller of its, that caller's included
 */
export function yieldingTurn(
  turn: Turn,
  cycle: readonly string[],
  activations: ReadonlyMap<string, TurnActivation>,
): Turn | undefined {
  const circle = new Set(cycle);
  for (const { key } of ancestry(turn)) {
    circle.add(key);
    if (key === cycle.at(-1)) break;
  }
  let found: Turn | undefined;
  for (const key of circle) {
    for (const running of activations.get(key)?.mailbox.running ?? []) {
      const taker = running.plan.transaction?.turn ?? running;
      if (taker.transaction?.yields !== true || isCalledBy(taker, circle)) continue;
      if (found === undefined || taker.transaction.age > (found.transaction?.age ?? 0)) found = taker;
    }
  }
  return found;
}

function isCalledBy(turn: Turn, keys: ReadonlySet<string>): boolean {
  for (const link of ancestry(turn)) if (link.local !== turn && keys.has(link.key)) return true;
  return false;
}
