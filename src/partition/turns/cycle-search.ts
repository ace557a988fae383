import type { ChainLink } from "../../object/message.ts";
import type { Awaited, Turn, TurnActivation } from "./turn.ts";

/** What is known of the objects of this partition, and of messages to any. */
export interface Objects {
  activation(key: string): TurnActivation | undefined;
  /** The object's unanswered messages. */
  sentTo(key: string): Iterable<Awaited>;
}

/** A turn that waits for the call in question; known here if it runs here. */
export type Caller = ChainLink & { readonly local: Turn | undefined };

/** A search that looks at one turn at a step; its result is the way round, if there is one. */
type Search = Generator<undefined, string[] | undefined, undefined>;

/**
 * Looks for a cycle that a call to `from` would close: its callers would wait for the turns that run on `from`; those wait
 * for the turns they called, and so on, until one is a caller. Of a call that left the partition only the object is known:
 * it waits for a caller on that object, unless both only read. Cycles that leave the partition twice go unseen; their
 * deadline ends them.
 *
 * Two searches take turns, one from `from` along what is waited for, one from the callers along who waits for them. Either
 * can tell, so the shorter one decides. In a line of N turns, however it grows, each call costs the shorter of the two parts
 * that it joins, and all of them together O(N log N).
 */
export function cycleThrough(
  from: TurnActivation,
  callers: readonly Caller[],
  objects: Objects,
): { readonly cycle: string[] | undefined; readonly steps: number } {
  const searches = [ahead(from, callers, objects), behind(from, callers, objects)];
  for (let steps = 1; ; steps++) {
    const { done, value } = (searches[steps % 2] as Search).next();
    if (done === true) return { cycle: value, steps };
  }
}

/** From what runs on `from`, along what it waits for, to a caller. */
function* ahead(from: TurnActivation, callers: readonly Caller[], objects: Objects): Search {
  const ends = new Set(callers.map(({ local }) => local));
  const byKey = Map.groupBy(callers, ({ key }) => key);
  const passed = new Set<TurnActivation>();
  const way = new Way();
  function* pass(object: TurnActivation | undefined, turn: Turn | undefined): Generator<undefined> {
    if (object === undefined || passed.has(object)) return;
    passed.add(object);
    yield* way.addAll(object.mailbox.running, turn);
  }
  yield* pass(from, undefined);
  for (const turn of way.turns) {
    yield;
    if (ends.has(turn)) return way.back(turn).reverse();
    if (turn.status === "waiting") {
      yield* pass(turn.activation, turn);
      continue;
    }
    yield* way.addAll(turn.children ?? [], turn);
    for (const { key, readonly } of turn.awaits ?? []) {
      yield;
      if (byKey.get(key)?.some((caller) => !(caller.readonly && readonly))) return [...way.back(turn).reverse(), key];
      yield* pass(objects.activation(key), turn);
    }
  }
  return undefined;
}

/** From the callers, along who waits for them, to what runs on `from`. */
function* behind(from: TurnActivation, callers: readonly Caller[], objects: Objects): Search {
  const passed = new Set<TurnActivation>();
  const way = new Way();
  /** Objects that turns wait for by message although they are elsewhere: the callers'. */
  const keys = new Map<Turn, string>();
  for (const { local } of callers) if (local !== undefined) way.add(local, undefined);
  for (const caller of callers) {
    for (const { turn, readonly } of objects.sentTo(caller.key)) {
      yield;
      if (turn.status !== "running" || (caller.readonly && readonly)) continue;
      if (way.add(turn, undefined)) keys.set(turn, caller.key);
    }
  }
  for (const turn of way.turns) {
    yield;
    const { activation } = turn;
    const runs = turn.status === "running" && activation.mailbox.runs(turn);
    if (runs && activation === from) {
      const round = way.back(turn);
      const key = keys.get(way.last(turn));
      return key === undefined ? round : [...round, key];
    }
    const { parent } = turn.plan;
    if (parent !== undefined && parent.status !== "ended" && parent.children?.has(turn) === true) way.add(parent, turn);
    yield* way.addAll(turn.transaction?.held ?? [], turn);
    if (!runs || passed.has(activation)) continue;
    passed.add(activation);
    yield* way.addAll(activation.mailbox.waitingTurns(), turn);
    if (objects.activation(activation.key) !== activation) continue;
    for (const { turn: other } of objects.sentTo(activation.key)) {
      yield;
      if (other.status === "running") way.add(other, turn);
    }
  }
  return undefined;
}

/** The turns that a search has reached, in that order, and how. */
class Way {
  /** Grows while it is gone through. */
  readonly turns: Turn[] = [];
  readonly #from = new Map<Turn, Turn | undefined>();

  /** Says whether the turn is new. */
  add(turn: Turn, from: Turn | undefined): boolean {
    if (this.#from.has(turn)) return false;
    this.#from.set(turn, from);
    this.turns.push(turn);
    return true;
  }

  /** The same for many, each a step. */
  *addAll(turns: Iterable<Turn>, from: Turn | undefined): Generator<undefined> {
    for (const turn of turns) {
      yield;
      this.add(turn, from);
    }
  }

  /** Objects on the way from `turn` back to where the search began. One that waits is named by what runs there. */
  back(turn: Turn): string[] {
    const keys: string[] = [];
    for (let at: Turn | undefined = turn; at !== undefined; at = this.#from.get(at)) {
      if (at.status !== "waiting") keys.push(at.activation.key);
    }
    return keys;
  }

  /** The turn that the search began with on the way to `turn`. */
  last(turn: Turn): Turn {
    let at = turn;
    for (let from = this.#from.get(at); from !== undefined; from = this.#from.get(at)) at = from;
    return at;
  }
}
