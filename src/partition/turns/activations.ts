import type { TypeDefinition } from "../../object/registry.ts";
import type { Clock } from "../../platform/ports.ts";
import { Activation } from "./activation.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { Turn, TurnActivation } from "./turn.ts";

export interface ActivationLimits {
  readonly idleTimeout: number;
  readonly maxObjects: number;
}

/**
 * The objects in memory ([LIFE2]). An unused one leaves after the idle timeout, noticed as others are used: a timer would
 * keep an idle Durable Object from hibernating, and hibernation clears its memory anyway. Beyond a count or a total size,
 * the least recently used leave first, by the clock algorithm (Corbató 1968): a use sets a flag, the hand clears it and
 * takes the first activation it finds without. Costs O(1) a use and amortised O(1) an eviction.
 */
export class Activations {
  readonly map = new Map<string, TurnActivation>();
  readonly #clock: Clock;
  readonly #memory: Pick<MemoryBudget, "room">;
  readonly #limits: ActivationLimits;
  readonly #evict: (activation: TurnActivation, reason: "idle" | "capacity") => void;
  #bytes = 0;
  #sweptAt: number;

  /** @param evict lets the object leave; it calls `forget` in the end */
  constructor(
    clock: Clock,
    limits: ActivationLimits,
    memory: Pick<MemoryBudget, "room">,
    evict: (activation: TurnActivation, reason: "idle" | "capacity") => void,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#memory = memory;
    this.#evict = evict;
    this.#sweptAt = clock.now();
  }

  get bytes(): number {
    return this.#bytes;
  }

  all(): IterableIterator<TurnActivation> {
    return this.map.values();
  }

  open(
    key: string,
    definition: TypeDefinition,
    id: string,
    where: { position: number; shard: number; epoch: number },
  ): TurnActivation {
    this.sweep();
    const known = this.#present(key, where.epoch);
    if (known !== undefined) return known;
    // Before it is added: the object that is opened must not be evicted for itself.
    this.#makeRoom();
    // An evicted object runs `onDeactivate` first, which may have opened this object.
    const called = this.#present(key, where.epoch);
    if (called !== undefined) return called;
    const activation = new Activation<Turn>(definition, id, where.position, where.shard, where.epoch);
    activation.lastUsed = this.#clock.now();
    this.map.set(key, activation);
    this.account(activation);
    return activation;
  }

  /** The activation of an object. One from an earlier stay of its shard here is dropped. */
  #present(key: string, epoch: number): TurnActivation | undefined {
    const known = this.map.get(key);
    if (known === undefined || known.epoch === epoch) return known;
    this.forget(known);
    return undefined;
  }

  /** Notes that the activation's size changed. */
  account(activation: TurnActivation): void {
    if (this.map.get(activation.key) !== activation) return;
    const bytes = activation.bytes;
    this.#bytes += bytes - activation.accounted;
    activation.accounted = bytes;
  }

  forget(activation: TurnActivation): void {
    if (this.map.get(activation.key) !== activation) return;
    this.map.delete(activation.key);
    this.#bytes -= activation.accounted;
    activation.accounted = 0;
    // Code that never ends may hold it for ever.
    if (activation.mailbox.idle && !activation.dirty) activation.unload();
  }

  clear(): void {
    this.map.clear();
    this.#bytes = 0;
  }

  #makeRoom(): void {
    let looks = 64;
    while (looks-- > 0 && (this.map.size >= this.#limits.maxObjects || this.#bytes > this.#memory.room)) {
      const activation = this.map.values().next().value as TurnActivation;
      // To the back, as the hand moves past it.
      this.map.delete(activation.key);
      this.map.set(activation.key, activation);
      if (activation.referenced || !activation.evictable) activation.referenced = false;
      else this.#evict(activation, "capacity");
    }
  }

  /** Lets idle objects go; looks at all of them, but only every quarter of the idle timeout. */
  sweep(): void {
    const now = this.#clock.now();
    if (now - this.#sweptAt < this.#limits.idleTimeout / 4) return;
    this.#sweptAt = now;
    for (const activation of [...this.map.values()]) {
      if (activation.lastUsed <= now - this.#limits.idleTimeout && activation.evictable)
        this.#evict(activation, "idle");
    }
  }
}
