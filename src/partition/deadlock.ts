import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Cell } from "./cell.ts";
import type { Turn } from "./turn.ts";

/** Turns that may wait for one another in a row. Keeps nested synchronous turns within the stack. */
export const MAX_CHAIN = 64;

/**
 * The turn on the same object that waits for `turn`, if any. `turn` is undefined in the answer when the chain names a turn
 * that no longer runs here.
 */
export function ownAncestor(turn: Turn): { turn: Turn | undefined } | undefined {
  const { parent, chain } = turn.plan;
  if (parent === undefined && (chain === undefined || chain.length === 0)) return undefined;
  let depth = 0;
  let own: { turn: Turn | undefined } | undefined;
  for (const link of turn.ancestry()) {
    if (++depth > MAX_CHAIN) throw tooLong(turn);
    if (own !== undefined || link.turn === turn || link.key !== turn.cell.key) continue;
    own = { turn: link.turn ?? [...turn.cell.mailbox.running].find((running) => running.id === link.id) };
  }
  return own;
}

/**
 * Looks for a circle that queueing `turn` would close: a turn running on its object waits, through any number of objects of
 * this partition, for an object that one of `turn`'s own callers runs on. Circles through three partitions or more go
 * unseen; their deadline ends them.
 */
export function closesCircle(turn: Turn, cells: ReadonlyMap<string, Cell>): string[] | undefined {
  const callers = new Set<string>();
  for (const link of turn.ancestry()) if (link.turn !== turn) callers.add(link.key);
  if (callers.size === 0) return undefined;
  const seen = new Set<string>();
  const search = (key: string): string[] | undefined => {
    if (seen.has(key)) return undefined;
    seen.add(key);
    for (const running of cells.get(key)?.mailbox.running ?? []) {
      for (const next of running.waitsFor?.keys() ?? []) {
        if (callers.has(next)) return [key, next];
        const rest = search(next);
        if (rest !== undefined) return [key, ...rest];
      }
    }
    return undefined;
  };
  return search(turn.cell.key);
}

/** [TURN7] The error that names who waits for whom. */
export function deadlock(turn: Turn, circle?: readonly string[]): EdgeverseError {
  const callers = [...turn.ancestry()].slice(1).map((link) => link.key);
  const chain = [...callers.reverse(), ...(circle ?? [turn.cell.key])];
  // A circle of several chains is gone once one of them gave up; a call to its own ancestor will meet it every time.
  const retryable = circle !== undefined;
  return new EdgeverseError("DEADLOCK", `The call would wait for itself: ${chain.join(" → ")}`, {
    retryable,
    details: { chain },
  });
}

function tooLong(turn: Turn): EdgeverseError {
  return new EdgeverseError("DEADLOCK", `The chain of calls that ends at ${turn.cell.key} is over ${MAX_CHAIN} long`);
}
