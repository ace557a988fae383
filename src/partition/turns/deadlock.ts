import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { ChainLink } from "../../object/message.ts";
import type { Turn, TurnActivation } from "./turn.ts";
import { ancestry } from "./turn-chain.ts";

/** Turns that may wait for one another in a row. Keeps nested synchronous turns within the stack. */
export const MAX_CHAIN = 64;

/**
 * The turn running on `turn`'s own object that waits for it, if any.
 * @throws EdgeverseError `DEADLOCK` when the chain is too long
 */
export function ownAncestor(turn: Turn): Turn | undefined {
  const { parent, chain } = turn.plan;
  if (parent === undefined && (chain === undefined || chain.length === 0)) return undefined;
  const { key } = turn.activation;
  let depth = 1;
  let own: Turn | undefined;
  let last = turn;
  // Every call of a neighbour comes here: its callers in this partition are followed without making links of them.
  for (let caller = parent; caller !== undefined; caller = caller.plan.parent) {
    if (caller.status === "ended") return own;
    if (++depth > MAX_CHAIN) throw tooLong(turn);
    if (caller.activation.key === key) own ??= caller;
    last = caller;
  }
  const remote = last.plan.chain ?? [];
  if (depth + remote.length > MAX_CHAIN) throw tooLong(turn);
  for (let index = remote.length - 1; index >= 0; index--)
    own ??= runningTurn(turn.activation, remote[index] as ChainLink);
  return own;
}

/** The turn of a chain's link, if it runs on `activation`. */
export function runningTurn(activation: TurnActivation, link: ChainLink): Turn | undefined {
  if (link.key !== activation.key) return undefined;
  for (const running of activation.mailbox.running) if (running.id === link.turn) return running;
  return undefined;
}

/** [TURN7] The error that names who waits for whom. */
export function deadlock(turn: Turn, cycle?: readonly string[]): EdgeverseError {
  const callers = [...ancestry(turn)].slice(1).map((link) => link.key);
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
