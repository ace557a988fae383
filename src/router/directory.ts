import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { placementOf } from "../identity/object-id.ts";
import type { Moved } from "../object/message.ts";
import type { ShardMap } from "../placement/shard-map.ts";
import type { Clock } from "../platform/ports.ts";
import type { MapCache } from "./ports.ts";

/** Redirections followed at once; before each later one there is a pause, since partitions may redirect to each other in a move. */
export const MAX_REDIRECTS = 4;
/** Ms between two looks at the coordinator's map. */
const REFRESH_EVERY = 1_000;

/** Where objects are, as far as this process knows: the cached map, looked at anew when there is reason to ([MAP3]). */
export class Directory {
  readonly #cache: MapCache;
  readonly #clock: Pick<Clock, "now">;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(cache: MapCache, clock: Pick<Clock, "now">) {
    this.#cache = cache;
    this.#clock = clock;
  }

  get map(): ShardMap {
    return this.#cache.map;
  }

  /** Takes the coordinator's map, if it can be had. Never rejects. */
  refresh(): Promise<void> {
    this.#refreshedAt = this.#clock.now();
    return this.#cache.refresh();
  }

  /** The same while the map is a guess, once a second. */
  async refreshGuess(): Promise<void> {
    if (this.map.document.version === 0 && this.#mayRefresh()) await this.refresh();
  }

  /** @throws EdgeverseError `INVALID_ID` */
  owner(id: string): string {
    const placement = placementOf(id);
    if (placement.kind !== "partition") return this.#cache.owner(this.map.shard(placement) as number);
    if (this.map.partitions.includes(placement.partition)) return placement.partition;
    throw new EdgeverseError("INVALID_ID", `Cannot place the object: there is no partition "${placement.partition}"`);
  }

  /** The same; what the guessed map calls impossible may be fine by the real one. */
  ownerOrRefresh(id: string): string | Promise<string> {
    try {
      return this.owner(id);
    } catch (error) {
      placementOf(id);
      // A partition may have been added, or shards, since this map.
      if (this.map.document.version > 0 && !this.#mayRefresh()) throw error;
      return this.refresh().then(() => this.owner(id));
    }
  }

  /**
   * Learns what a partition has said. Resolves with where to go at once; undefined: to pause first and look at the map again.
   *
   * @param redirects how often the caller was sent on
   */
  async redirect(moved: Moved, from: string, redirects: number): Promise<string | undefined> {
    const outdated = moved.mapVersion > this.map.document.version || moved.shards !== this.map.shards;
    if ((outdated || redirects > 1) && this.#mayRefresh()) await this.refresh();
    this.#cache.learn(moved);
    return moved.partition === from ? undefined : moved.partition;
  }

  /** Shards move by the hundred: the whole map is worth fetching once in a while, not for each of them. */
  #mayRefresh(): boolean {
    return this.#clock.now() - this.#refreshedAt >= REFRESH_EVERY;
  }
}

/** The error of a call whose object no partition had. */
export function notCalled(): EdgeverseError {
  return new EdgeverseError("UNAVAILABLE", "The object is between two partitions; it was not called");
}
