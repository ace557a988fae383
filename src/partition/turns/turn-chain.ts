import type { ChainLink } from "../../object/message.ts";
import type { Turn } from "./turn.ts";

/** The turns that wait for this one, nearest first: this turn itself, its callers here, then those elsewhere. */
export function* ancestry(first: Turn): Generator<ChainLink & { readonly local: Turn | undefined }> {
  let turn = first;
  for (;;) {
    yield { key: turn.activation.key, turn: turn.id, readonly: turn.plan.readonly, local: turn };
    const { parent } = turn.plan;
    if (parent === undefined) break;
    // A turn that has ended waits for nothing, and its callers do not wait for this call.
    if (parent.status === "ended") return;
    turn = parent;
  }
  const remote = turn.plan.chain ?? [];
  for (let index = remote.length - 1; index >= 0; index--) yield { ...(remote[index] as ChainLink), local: undefined };
}

/** The keys of the objects whose turns wait for this one, and of its own. */
export function keysOfCallers(turn: Turn): string[] {
  return [...ancestry(turn)].map(({ key }) => key);
}

/** The chain that a call of this turn carries to another partition, oldest first. */
export function outgoingChain(turn: Turn): ChainLink[] {
  return [...ancestry(turn)].map(({ key, turn: name, readonly }) => ({ key, turn: name, readonly })).reverse();
}
