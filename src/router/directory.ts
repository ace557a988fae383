import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Moved } from "../object/message.ts";
import type { Registry } from "../object/registry.ts";
import type { ShardMap } from "../placement/shard-map.ts";
import type { Clock } from "../platform/ports.ts";
import type { MapCache } from "./ports.ts";

/** Redirections followed at once; before each later one there is a pause, since partitions may redirect to each other in a move. */
export const MAX_REDIRECTS = 4;
/** Ms between two looks at the coordinator's map. */
const REFRESH_EVERY = 1_000;

/** Names an object; a message does. */
export interface ObjectRef {
  readonly type: string;
  readonly id: string;
}

/** Where objects are, as far as this process knows: the cached map, looked at anew when there is reason to ([MAP3]). */
export class Directory {
  readonly #cache: MapCache;
  readonly #clock: Pick<Clock, "now">;
  readonly #registry: Pick<Registry, "placement">;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(cache: MapCache, clock: Pick<Clock, "now">, registry: Pick<Registry, "placement">) {
    this.#registry = registry;
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
  owner({ type, id }: ObjectRef): string {
    const placement = this.#registry.placement(type, id);
    if (placement.kind !== "partition") return this.#cache.owner(this.map.shard(placement) as number);
    if (this.map.partitions.includes(placement.partition)) return placement.partition;
    throw new EdgeverseError("INVALID_ID", `Cannot place the object: there is no partition "${placement.partition}"`);
  }

  /** The same; what the guessed map calls impossible may be fine by the real one. */
  ownerOrRefresh(object: ObjectRef): string | Promise<string> {
    try {
      return this.owner(object);
    } catch (error) {
      this.#registry.placement(object.type, object.id);
      // A partition may have been added, or shards, since this map.
      if (this.map.document.version > 0 && !this.#mayRefresh()) throw error;
      return this.refresh().then(() => this.owner(object));
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
