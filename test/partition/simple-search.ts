import type { ChainLink } from "../../src/object/message.ts";
import type { Turn, TurnActivation } from "../../src/partition/turns/turn.ts";

/** The search before it was made fast: from the object along everything it waits for, to a caller. */
export function simpleSearch(
  from: TurnActivation,
  callers: readonly (ChainLink & { readonly local: Turn | undefined })[],
  activations: ReadonlyMap<string, TurnActivation>,
): boolean {
  const local = new Set(callers.map((link) => link.local));
  const seen = new Set<Turn>();
  const throughActivation = (activation: TurnActivation | undefined): boolean =>
    activation !== undefined && [...activation.mailbox.running].some(throughTurn);
  const throughTurn = (next: Turn): boolean => {
    if (local.has(next)) return true;
    if (seen.has(next)) return false;
    seen.add(next);
    if (next.status === "waiting") return throughActivation(next.activation);
    if ([...(next.children ?? [])].some(throughTurn)) return true;
    return [...(next.awaits ?? [])].some(
      (awaited) =>
        callers.some((link) => link.key === awaited.key && !(link.readonly && awaited.readonly)) ||
        throughActivation(activations.get(awaited.key)),
    );
  };
  return throughActivation(from);
}
