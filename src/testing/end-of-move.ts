import type { Coordinator } from "../coordinator/coordinator.ts";
import { pause } from "../platform/pause.ts";
import type { Clock } from "../platform/ports.ts";

/** Ms between two looks at a move: at first, and at last. */
const LOOK_AGAIN = 5;
const LOOK_SELDOM = 250;

/** The newest move of a shard, once it has ended; undefined when there is none. */
export async function endOfMove(coordinator: () => Coordinator, shard: number, clock: Clock) {
  for (let wait = LOOK_AGAIN; ; wait = Math.min(LOOK_SELDOM, wait * 2)) {
    const [move] = await coordinator().moves({ shard, limit: 1 });
    if (move === undefined || move.endedAt !== null) return move;
    await pause(clock, wait);
  }
}
