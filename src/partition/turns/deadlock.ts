import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { ChainLink } from "../../object/message.ts";
import type { Turn, TurnCell } from "./turn.ts";

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
    if (own === undefined && link.local !== turn && link.key === turn.cell.key)
      own = link.local ?? runningTurn(turn.cell, link);
  }
  return own;
}

/** The turn of a chain's link, if it runs on `cell`. */
export function runningTurn(cell: TurnCell, link: ChainLink): Turn | undefined {
  if (link.key !== cell.key) return undefined;
  for (const running of cell.mailbox.running) if (running.id === link.turn) return running;
  return undefined;
}

/**
 * Looks for a circle that queueing `turn` would close: it would wait for the turns that run on its object; those wait for
 * the turns they called, and so on, until one is a caller of `turn`. Of a call that left the partition only the object is
 * known: it waits for a caller of `turn` on that object, unless both only read. Circles through three partitions or more
 * go unseen; their deadline ends them.
 *
 * @returns the objects on the way round, from `turn`'s own to the caller's
 */
export function closesCircle(turn: Turn, cells: ReadonlyMap<string, TurnCell>): string[] | undefined {
  return circleThrough(turn.cell, [...turn.ancestry()].slice(1), cells);
}

/** The same for a call that would wait for whatever runs on `cell`, made by the turns of `chain`. */
export function chainClosesCircle(
  cell: TurnCell,
  chain: readonly ChainLink[],
  cells: ReadonlyMap<string, TurnCell>,
): string[] | undefined {
  const callers = chain.map((link) => {
    const caller = cells.get(link.key);
    return { ...link, local: caller === undefined ? undefined : runningTurn(caller, link) };
  });
  return circleThrough(cell, callers, cells);
}

type Caller = ChainLink & { readonly local: Turn | undefined };

function circleThrough(
  from: TurnCell,
  callers: readonly Caller[],
  cells: ReadonlyMap<string, TurnCell>,
): string[] | undefined {
  if (callers.length === 0) return undefined;
  const local = new Set(callers.map((link) => link.local).filter((caller) => caller !== undefined));
  const seen = new Set<Turn>();

  const throughCell = (cell: TurnCell | undefined): string[] | undefined => {
    if (cell === undefined) return undefined;
    for (const running of cell.mailbox.running) {
      const rest = throughTurn(running);
      if (rest !== undefined) return rest;
    }
    return undefined;
  };
  const throughTurn = (next: Turn): string[] | undefined => {
    if (local.has(next)) return [next.cell.key];
    if (seen.has(next)) return undefined;
    seen.add(next);
    if (next.status === "waiting") return throughCell(next.cell);
    for (const child of next.children ?? []) {
      const rest = throughTurn(child);
      if (rest !== undefined) return [next.cell.key, ...rest];
    }
    for (const awaited of next.awaits ?? []) {
      const caller = callers.find((link) => link.key === awaited.key && !(link.readonly && awaited.readonly));
      const rest = caller === undefined ? throughCell(cells.get(awaited.key)) : [caller.key];
      if (rest !== undefined) return [next.cell.key, ...rest];
    }
    return undefined;
  };
  return throughCell(from);
}

/** [TURN7] The error that names who waits for whom. */
export function deadlock(turn: Turn, circle?: readonly string[]): EdgeverseError {
  const callers = [...turn.ancestry()].slice(1).map((link) => link.key);
  // A circle of several chains is gone once one of them gave up; a call to its own ancestor will meet it every time.
  return deadlockError([...callers.reverse(), ...(circle ?? [turn.cell.key])], circle !== undefined);
}

export function deadlockError(chain: readonly string[], retryable: boolean): EdgeverseError {
  const message = `The call would wait for itself: ${chain.join(" → ")}`;
  return new EdgeverseError("DEADLOCK", message, { retryable, details: { chain } });
}

function tooLong(turn: Turn): EdgeverseError {
  return new EdgeverseError("DEADLOCK", `The chain of calls that ends at ${turn.cell.key} is over ${MAX_CHAIN} long`);
}
