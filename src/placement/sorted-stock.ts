import type { PlanShard } from "./plan-types.ts";

/** Shards of one load that are looked through for the one that belongs to the taker. */
const ALIKE = 64;

/**
 * Shards by load, from which the one nearest to a wished load is taken. What is taken is stepped over by links that are
 * shortened as they are followed (path halving: Tarjan & van Leeuwen, 1984), so a question costs O(log shards).
 */
export class SortedStock {
  /** One of them as it was at first: to the rules all are alike. */
  readonly sample: PlanShard;
  /** Ascending by load. */
  readonly #shards: readonly PlanShard[];
  readonly #sizes: Float64Array;
  /** At place + 1: the place itself while it is there, else one further down, or up. 0 and the last are ends. */
  readonly #down: Int32Array;
  readonly #up: Int32Array;
  #left: number;

  /** @param shards at least one; @param loads by shard number */
  constructor(shards: readonly PlanShard[], loads: Float64Array) {
    const load = (shard: PlanShard) => loads[shard.shard] as number;
    this.#shards = [...shards].sort((a, b) => load(a) - load(b) || a.shard - b.shard);
    this.#sizes = Float64Array.from(this.#shards, load);
    this.#down = Int32Array.from({ length: shards.length + 2 }, (_, index) => index);
    this.#up = this.#down.slice();
    this.#left = shards.length;
    this.sample = this.#shards[0] as PlanShard;
  }

  get empty(): boolean {
    return this.#left === 0;
  }

  size(place: number): number {
    return this.#sizes[place] as number;
  }

  /** Places of the largest that is at most `wish` and of the smallest above it, as far as there are such. */
  around(wish: number): number[] {
    let [low, high] = [0, this.#sizes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sizes[middle] as number) <= wish) low = middle + 1;
      else high = middle;
    }
    // `low` places are at most the wish: the last of them is at index `low` of the links.
    const below = find(this.#down, low) - 1;
    const above = find(this.#up, low + 1) - 1;
    return [below, above].filter((place) => place >= 0 && place < this.#shards.length);
  }

  /** Takes the shard at a place, or one just as large whose base is `base`. */
  take(place: number, base: string | undefined): PlanShard {
    const size = this.size(place);
    let chosen = place;
    for (const links of [this.#down, this.#up]) {
      let index = place + 1;
      for (let looks = 0; looks < ALIKE && this.#sizes[index - 1] === size; looks++) {
        if (this.#shards[index - 1]?.base === base) {
          chosen = index - 1;
          break;
        }
        index = find(links, links === this.#down ? index - 1 : index + 1);
      }
      if (this.#shards[chosen]?.base === base) break;
    }
    this.#down[chosen + 1] = chosen;
    this.#up[chosen + 1] = chosen + 2;
    this.#left--;
    return this.#shards[chosen] as PlanShard;
  }
}

function find(links: Int32Array, from: number): number {
  let index = from;
  while (links[index] !== index) {
    const next = links[index] as number;
    links[index] = links[next] as number;
    index = links[index] as number;
  }
  return index;
}
