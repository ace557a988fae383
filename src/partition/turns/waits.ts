import type { ChainLink } from "../../object/message.ts";
import { type Caller, cycleThrough, type Objects } from "./cycle-search.ts";
import { deadlock, runningTurn } from "./deadlock.ts";
import type { Awaited, Turn, TurnActivation } from "./turn.ts";
import { ancestry } from "./turn-chain.ts";
import { yieldingTurn } from "./yielding.ts";

/** Who waits for whom among the turns of a partition ([TURN7]). */
export class Waits implements Objects {
  readonly stats = { searches: 0, steps: 0 };
  readonly #activations: ReadonlyMap<string, TurnActivation>;
  /** Calls sent by message that are not answered, by the key of their object. */
  readonly #sent = new Map<string, Set<Awaited>>();

  /** @param activations by key */
  constructor(activations: ReadonlyMap<string, TurnActivation>) {
    this.#activations = activations;
  }

  /** Notes that a turn waits for the answer to a message; to be called again when it is there. */
  sent(awaited: Awaited): () => void {
    const { turn, key } = awaited;
    turn.awaits ??= new Set();
    turn.awaits.add(awaited);
    const others = this.#sent.get(key) ?? new Set();
    others.add(awaited);
    this.#sent.set(key, others);
    return () => {
      turn.awaits?.delete(awaited);
      others.delete(awaited);
      if (others.size === 0 && this.#sent.get(key) === others) this.#sent.delete(key);
    };
  }

  sentTo(key: string): Iterable<Awaited> {
    return this.#sent.get(key) ?? [];
  }

  activation(key: string): TurnActivation | undefined {
    return this.#activations.get(key);
  }

  /**
   * Whether queueing `turn` would close a cycle.
   *
   * @param ready whether a turn may begin again now; the one that `turn` takes an object for always may
   * @returns the turn that is to begin again if so, to open it
   * @throws EdgeverseError `DEADLOCK` when none can
   */
  check(turn: Turn, ready: (other: Turn) => boolean): Turn | undefined {
    const cycle = this.closesCycle(turn);
    if (cycle === undefined) return undefined;
    const found = yieldingTurn(turn, cycle, this.#activations);
    if (found !== undefined && (found === turn.plan.transaction?.turn || ready(found))) return found;
    throw deadlock(turn, cycle);
  }

  /**
   * The cycle that queueing `turn` would close: it would wait for the turns that run on its object.
   *
   * @returns the objects on the way round, from `turn`'s own to the caller's
   */
  closesCycle(turn: Turn): string[] | undefined {
    return this.#cycle(turn.activation, [...ancestry(turn)].slice(1));
  }

  /** The same for a call that would wait for whatever runs on `activation`, made by the turns of `chain`. */
  chainClosesCycle(activation: TurnActivation, chain: readonly ChainLink[]): string[] | undefined {
    const callers = chain.map((link) => {
      const caller = this.#activations.get(link.key);
      return { ...link, local: caller === undefined ? undefined : runningTurn(caller, link) };
    });
    return this.#cycle(activation, callers);
  }

  #cycle(from: TurnActivation, callers: readonly Caller[]): string[] | undefined {
    if (callers.length === 0) return undefined;
    this.stats.searches++;
    const { cycle, steps } = cycleThrough(from, callers, this);
    this.stats.steps += steps;
    return cycle;
  }
}
