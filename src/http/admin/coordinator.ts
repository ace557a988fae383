import type { AdminCommand, CoordinatorView, MoveView, Operator, ShardNote } from "../../coordinator/commands.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { within } from "../../platform/within.ts";
import { ADMIN_LIMIT } from "../ask-partitions.ts";
import type { CoordinatorClient, HttpParts } from "../ports.ts";
import type { HttpContext } from "../route.ts";

/** Asks the coordinator. @throws EdgeverseError `UNAVAILABLE` when it can't be reached or is silent */
export async function askCoordinator<T>(
  { clock, coordinator }: Pick<HttpParts, "clock" | "coordinator">,
  question: (coordinator: CoordinatorClient) => Promise<T>,
): Promise<T> {
  const late = () => new EdgeverseError("UNAVAILABLE", `The coordinator did not answer within ${ADMIN_LIMIT} ms`);
  try {
    return await within(clock, ADMIN_LIMIT, question(coordinator), late);
  } catch (error) {
    if (error instanceof EdgeverseError) throw error;
    throw new EdgeverseError("UNAVAILABLE", "The coordinator can't be reached", { cause: error });
  }
}

/** Who gives a command. */
export function operatorOf({ requestId, actor = "admin" }: HttpContext): Operator {
  return { requestId, actor };
}

/** Problems of a command. */
export const ORDERED = ["CONFLICT", "INVALID_ARGUMENT", "NOT_FOUND", "UNAVAILABLE"] as const;

/** Gives the coordinator a command. @throws EdgeverseError what it is refused with, or `UNAVAILABLE` */
export async function command<Result>(parts: HttpParts, order: AdminCommand, context: HttpContext): Promise<Result> {
  const operator = operatorOf(context);
  const answer = await askCoordinator(parts, (coordinator) => coordinator.execute(order, operator));
  if (answer.ok) return answer.result as Result;
  throw EdgeverseError.from(answer.error);
}

/** What the coordinator knows of shards and moves, for views that go on without it. */
export interface Known {
  readonly notes: ReadonlyMap<number, ShardNote>;
  /** Moves that have not ended, by shard. */
  readonly moves: ReadonlyMap<number, MoveView>;
}

/** The same, or undefined when it can't be asked. @param shard only moves of this one are wanted */
export async function known(parts: HttpParts, shard?: number): Promise<Known | undefined> {
  try {
    const [notes, moves] = await Promise.all([
      askCoordinator(parts, (coordinator) => coordinator.notes()),
      askCoordinator(parts, (coordinator) =>
        coordinator.moves({ limit: parts.router.map.shards, active: true, shard }),
      ),
    ]);
    return {
      notes: new Map(notes.map((note) => [note.shard, note])),
      // The newest come first, and the newest counts.
      moves: new Map(moves.toReversed().map((move) => [move.shard, move])),
    };
  } catch {
    return undefined;
  }
}

export async function coordinatorView(parts: HttpParts): Promise<CoordinatorView | undefined> {
  try {
    return await askCoordinator(parts, (coordinator) => coordinator.view());
  } catch {
    return undefined;
  }
}
