import type { TypeDefinition } from "../../object/registry.ts";
import type { Clock } from "../../platform/ports.ts";
import { Cell } from "./activation.ts";
import type { Turn, TurnCell } from "./turn.ts";

export interface CellLimits {
  readonly idleTimeout: number;
  readonly maxObjects: number;
  readonly maxObjectBytes: number;
}

/**
 * The objects in memory ([LIFE2]). An unused one leaves after the idle timeout, noticed as others are used: a timer would
 * keep an otherwise idle Durable Object from hibernating, and that clears its memory anyway. Beyond a count or a size of all together,
 * the least recently used leave first, by the clock algorithm (Corbató 1968): a use sets a flag, the hand clears it and
 * takes the first cell it finds without. Costs O(1) a use and amortised O(1) an eviction.
 */
export class Cells {
  readonly map = new Map<string, TurnCell>();
  readonly #clock: Clock;
  readonly #limits: CellLimits;
  readonly #evict: (cell: TurnCell, reason: "idle" | "capacity") => void;
  #bytes = 0;
  #sweptAt: number;

  /** @param evict lets the object leave; it calls `forget` in the end */
  constructor(clock: Clock, limits: CellLimits, evict: (cell: TurnCell, reason: "idle" | "capacity") => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#evict = evict;
    this.#sweptAt = clock.now();
  }

  get bytes(): number {
    return this.#bytes;
  }

  all(): IterableIterator<TurnCell> {
    return this.map.values();
  }

  open(
    key: string,
    definition: TypeDefinition,
    id: string,
    where: { ring: number; shard: number; epoch: number },
  ): TurnCell {
    this.sweep();
    const known = this.#present(key, where.epoch);
    if (known !== undefined) return known;
    // Before it is in: what is about to be used must not be what makes room.
    this.#makeRoom();
    // What leaves runs its own code first, and that may have called this very object.
    const called = this.#present(key, where.epoch);
    if (called !== undefined) return called;
    const cell = new Cell<Turn>(definition, id, where.ring, where.shard, where.epoch);
    cell.lastUsed = this.#clock.now();
    this.map.set(key, cell);
    this.account(cell);
    return cell;
  }

  /** The cell of an object; one from an earlier time of its shard here is no more, whatever it holds. */
  #present(key: string, epoch: number): TurnCell | undefined {
    const known = this.map.get(key);
    if (known === undefined || known.epoch === epoch) return known;
    this.forget(known);
    return undefined;
  }

  /** Notes that the cell's size changed. */
  account(cell: TurnCell): void {
    if (this.map.get(cell.key) !== cell) return;
    const bytes = cell.bytes;
    this.#bytes += bytes - cell.accounted;
    cell.accounted = bytes;
  }

  forget(cell: TurnCell): void {
    if (this.map.get(cell.key) !== cell) return;
    this.map.delete(cell.key);
    this.#bytes -= cell.accounted;
    cell.accounted = 0;
  }

  clear(): void {
    this.map.clear();
    this.#bytes = 0;
  }

  #makeRoom(): void {
    let looks = 64;
    while (looks-- > 0 && (this.map.size >= this.#limits.maxObjects || this.#bytes > this.#limits.maxObjectBytes)) {
      const cell = this.map.values().next().value as TurnCell;
      // To the back, as the hand moves past it.
      this.map.delete(cell.key);
      this.map.set(cell.key, cell);
      if (cell.referenced || !cell.evictable) cell.referenced = false;
      else this.#evict(cell, "capacity");
    }
  }

  /** Lets idle objects go; looks at all of them, but only every quarter of the idle timeout. */
  sweep(): void {
    const now = this.#clock.now();
    if (now - this.#sweptAt < this.#limits.idleTimeout / 4) return;
    this.#sweptAt = now;
    for (const cell of [...this.map.values()]) {
      if (cell.lastUsed <= now - this.#limits.idleTimeout && cell.evictable) this.#evict(cell, "idle");
    }
  }
}
