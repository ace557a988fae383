import type { PublicEvent } from "../../object/event.ts";
import type { History } from "./history.ts";
import type { SimSinks } from "./sim-sinks.ts";
import { Violation } from "./violation.ts";

/**
 * Every sink has every event of a turn that has committed, and none of any other; what came first of each is in the order of
 * emitting, and so are the sequences ([EVT1], [EVT2]). Of ledgers that were deleted meanwhile nothing is known but that order.
 *
 * @param ledgers the tokens of each ledger at the end
 */
export function checkEvents(
  { sent }: History,
  ledgers: ReadonlyMap<string, readonly string[]>,
  { taken }: SimSinks,
): void {
  const deleted = new Set(sent.filter(({ deed }) => deed === "delete").map(({ object }) => object));
  const emitting = new Set(sent.filter(({ deed }) => deed === "emitNow").map(({ token }) => token));
  for (const [sink, events] of taken) {
    for (const [object, tokens] of ledgers) {
      const came = firsts(events.filter(({ subject }) => subject === object));
      const sequences = came.map(({ sequence }) => sequence);
      if ([...sequences].sort().join() !== sequences.join())
        throw new Violation(`[EVT2] at the sink ${sink}, sequences of ${object} do not grow: ${sequences}`);
      if (deleted.has(object)) continue;
      const seen = came.map(({ data }) => (data as { token: string }).token).join(", ");
      const emitted = tokens.filter((token) => emitting.has(token)).flatMap((token) => [token, `${token}+`]);
      if (seen !== emitted.join(", "))
        throw new Violation(`[EVT2] of ${object} the sink ${sink} got ${seen}, and ${emitted.join(", ")} were emitted`);
    }
  }
}

/** Each event as it came first. */
function firsts(events: readonly PublicEvent[]): PublicEvent[] {
  const ids = new Set<string>();
  return events.filter(({ id }) => !ids.has(id) && ids.add(id));
}
