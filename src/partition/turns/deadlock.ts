import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { ChainLink } from "../../object/message.ts";
import type { Turn, TurnActivation } from "./turn.ts";

/** Turns that may wait for one another in a row. Keeps nested synchronous turns within the stack. */
export const MAX_CHAIN = 64;

/**
 * The turn running on `turn`'s own object that waits for it, if any.
 * @throws EdgeverseError `DEADLOCK` when the chain is too long
 */
export function ownAncestor(turn: Turn): Turn | undefined {
  const { parent, chain } = turn.plan;
  if (parent === undefined && (chain === undefined || chain.length === 0)) return undefined;
  let depth = 0;
  let own: Turn | undefined;
  for (const link of turn.ancestry()) {
    if (++depth > MAX_CHAIN) throw tooLong(turn);
    if (own === undefined && link.local !== turn && link.key === turn.activation.key)
      own = link.local ?? runningTurn(turn.activation, link);
  }
  return own;
}

/** The turn of a chain's link, if it runs on `activation`. */
export function runningTurn(activation: TurnActivation, link: ChainLink): Turn | undefined {
  if (link.key !== activation.key) return undefined;
  for (const running of activation.mailbox.running) if (running.id === link.turn) return running;
  return undefined;
}

/**
 * Looks for a cycle that queueing `turn` would close: it would wait for the turns that run on its object; those wait for
 * the turns they called, and so on, until one is a caller of `turn`. Of a call that left the partition only the object is
 * known: it waits for a caller of `turn` on that object, unless both only read. Cycles through three partitions or more
 * go unseen; their deadline ends them.
 *
 * @returns the objects on the way round, from `turn`'s own to the caller's
 */
export function closesCycle(turn: Turn, activations: ReadonlyMap<string, TurnActivation>): string[] | undefined {
  return cycleThrough(turn.activation, [...turn.ancestry()].slice(1), activations);
}

/** The same for a call that would wait for whatever runs on `activation`, made by the turns of `chain`. */
export function chainClosesCycle(
  activation: TurnActivation,
  chain: readonly ChainLink[],
  activations: ReadonlyMap<string, TurnActivation>,
): string[] | undefined {
  const callers = chain.map((link) => {
    const caller = activations.get(link.key);
    return { ...link, local: caller === undefined ? undefined : runningTurn(caller, link) };
  });
  return cycleThrough(activation, callers, activations);
}

type Caller = ChainLink & { readonly local: Turn | undefined };

function cycleThrough(
  from: TurnActivation,
  callers: readonly Caller[],
  activations: ReadonlyMap<string, TurnActivation>,
): string[] | undefined {
  if (callers.length === 0) return undefined;
  const local = new Set(callers.map((link) => link.local).filter((caller) => caller !== undefined));
  const seen = new Set<Turn>();

  const throughActivation = (activation: TurnActivation | undefined): string[] | undefined => {
    if (activation === undefined) return undefined;
    for (const running of activation.mailbox.running) {
      const rest = throughTurn(running);
      if (rest !== undefined) return rest;
    }
    return undefined;
  };
  const throughTurn = (next: Turn): string[] | undefined => {
    if (local.has(next)) return [next.activation.key];
    if (seen.has(next)) return undefined;
    seen.add(next);
    if (next.status === "waiting") return throughActivation(next.activation);
    for (const child of next.children ?? []) {
      const rest = throughTurn(child);
      if (rest !== undefined) return [next.activation.key, ...rest];
    }
    for (const awaited of next.awaits ?? []) {
      const caller = callers.find((link) => link.key === awaited.key && !(link.readonly && awaited.readonly));
      const rest = caller === undefined ? throughActivation(activations.get(awaited.key)) : [caller.key];
      if (rest !== undefined) return [next.activation.key, ...rest];
    }
    return undefined;
  };
  return throughActivation(from);
}

/** [TURN7] The error that names who waits for whom. */
export function deadlock(turn: Turn, cycle?: readonly string[]): EdgeverseError {
  const callers = [...turn.ancestry()].slice(1).map((link) => link.key);
  // A cycle of several chains is gone once one of them gave up; a call to its own ancestor will meet it every time.
  return deadlockError([...callers.reverse(), ...(cycle ?? [turn.activation.key])], cycle !== undefined);
}

export function deadlockError(chain: readonly string[], retryable: boolean): EdgeverseError {
  const message = `The call would wait for itself: ${chain.join(" → ")}`;
  return new EdgeverseError("DEADLOCK", message, { retryable, details: { chain } });
}

function tooLong(turn: Turn): EdgeverseError {
  return new EdgeverseError(
    "DEADLOCK",
    `The chain of calls that ends at ${turn.activation.key} is over ${MAX_CHAIN} long`,
  );
}
