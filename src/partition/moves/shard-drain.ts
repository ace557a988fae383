import type { Clock } from "../../platform/ports.ts";
import type { ReliableCalls } from "../calls/reliable-calls.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Ownership } from "../storage/ownership.ts";
import type { Activations } from "../turns/activations.ts";
import { RELEASED } from "../turns/outcome.ts";
import type { Turn, TurnActivation } from "../turns/turn.ts";
import { ancestry } from "../turns/turn-chain.ts";
import type { TurnEngine } from "../turns/turn-engine.ts";
import type { ShardWork } from "./shard-work.ts";

interface Parts {
  readonly ownership: Ownership;
  readonly activations: Activations;
  readonly engine: TurnEngine;
  readonly reliable: ReliableCalls;
  readonly work: ShardWork;
  readonly commit: GroupCommit;
  readonly clock: Clock;
  /** Whether any type has an `onDeactivate`. */
  readonly farewells: boolean;
  /** Lets an object run its `onDeactivate` and leave memory. */
  readonly deactivate: (activation: TurnActivation) => void;
  /** Goes on with the pending calls of a shard. */
  readonly resume: (shard: number) => void;
  /** The shard is another partition's. */
  readonly onLeft: (shard: number) => void;
  /** Loads the shard's `autoLoad` objects again. */
  readonly onOwned: (shard: number) => void;
}

/**
 * Ends the turns of a shard for its hand-off, and lets calls in again if the shard stays.
 *
 * Calls that arrive wait at the gate; turns that wait for their object are sent back there; reliable calls in line stay in
 * the table and leave memory. Turns that run may end, and so may the calls they wait for: a call that a running turn of the shard
 * made is let in, or the two would wait for each other.
 */
export class ShardDrain {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Resolves with true when no turn is left and their effects are durable; with false when `limit` ms have passed, or the hand-off is no
   * longer wanted. Either way the gate stays closed: `reopen` it, or hand the shard over.
   */
  async drain(shard: number, limit: number, wanted: () => boolean): Promise<boolean> {
    const { ownership, activations, commit, reliable, work, clock, deactivate } = this.#parts;
    ownership.closeGate(shard);
    reliable.pause(shard, true);
    const until = clock.now() + limit;
    if (!(await this.#quiet(shard, until, wanted))) return false;
    // This looks at every object in memory, so it runs only when some type has an `onDeactivate`.
    for (const activation of this.#parts.farewells ? [...activations.all()] : []) {
      if (
        activation.instance !== undefined &&
        activation.definition.hooks.has("onDeactivate") &&
        this.#on(activation, shard)
      ) {
        deactivate(activation);
      }
    }
    do {
      if (!(await this.#quiet(shard, until, wanted))) return false;
      await commit.durable(null);
    } while (this.#busy(shard).length > 0 || reliable.mustRun(shard));
    reliable.release(shard);
    work.release(shard);
    return true;
  }

  /** Whether the gate is closed and no turn of the shard runs. */
  closed(shard: number): boolean {
    return this.#parts.ownership.gated(shard) && this.#busy(shard).length === 0;
  }

  /** Lets the shard's calls in again. */
  reopen(shard: number): void {
    const { ownership, reliable, work, resume } = this.#parts;
    reliable.release(shard);
    reliable.pause(shard, false);
    work.release(shard);
    work.admit(shard);
    resume(shard);
    ownership.release(shard);
    if (this.#parts.farewells) this.#parts.onOwned(shard);
  }

  /**
   * Forgets the shard's objects, a few at a time: they are another partition's now. Should the shard be back before the
   * last is gone, its epoch tells old from new.
   */
  forget(shard: number): void {
    this.#parts.reliable.pause(shard, false);
    this.#parts.work.admit(shard);
    this.#parts.onLeft(shard);
    this.#forget(this.#parts.activations.all(), shard);
  }

  #forget(rest: Iterator<TurnActivation>, shard: number): void {
    const { activations, ownership, clock } = this.#parts;
    const epoch = ownership.servedEpoch(shard);
    for (let looks = 0; looks < SLICE; looks++) {
      const { value: activation, done } = rest.next();
      if (done === true) return;
      if (activation.epoch !== epoch && this.#on(activation, shard)) activations.forget(activation);
    }
    clock.after(1, () => this.#forget(rest, shard));
  }

  async #quiet(shard: number, until: number, wanted: () => boolean): Promise<boolean> {
    const { engine, clock } = this.#parts;
    const { ownership } = this.#parts;
    // Their callers call again.
    const reason = (turn: Turn) => (ownership.anyGated(callers(turn)) ? undefined : RELEASED);
    for (;;) {
      const busy = this.#busy(shard);
      for (const activation of busy) engine.takeOut(activation, reason);
      const running = busy.find((activation) => !activation.mailbox.idle);
      if (running === undefined && !this.#parts.reliable.mustRun(shard)) return true;
      const left = until - clock.now();
      if (left <= 0 || !wanted()) return false;
      await idle(running, Math.min(left, WANTED_AGAIN), clock);
    }
  }

  #busy(shard: number): TurnActivation[] {
    const busy = new Set<TurnActivation>();
    for (const { activation } of this.#parts.engine.running) if (this.#on(activation, shard)) busy.add(activation);
    return [...busy];
  }

  #on(activation: TurnActivation, shard: number): boolean {
    return this.#parts.ownership.shardAt(activation.position) === shard;
  }
}

function* callers(turn: Turn): Generator<string> {
  let own = true;
  for (const link of ancestry(turn)) {
    if (!own) yield link.key;
    own = false;
  }
}

/** Objects looked at in one event when a shard has left. */
const SLICE = 2_000;
/** Ms between two looks at work that does not report its end. */
const LOOK_AGAIN = 5;
/** Ms until it is asked again whether the hand-off is still wanted. */
const WANTED_AGAIN = 100;

function idle(activation: TurnActivation | undefined, limit: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      cancel();
      if (activation !== undefined) activation.onIdle = undefined;
      resolve();
    };
    const cancel = clock.after(activation === undefined ? Math.min(LOOK_AGAIN, limit) : limit, settle);
    if (activation !== undefined) activation.onIdle = settle;
  });
}
