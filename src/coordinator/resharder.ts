import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { MAX_SHARDS } from "../identity/object-id.ts";
import { readMeta } from "../platform/meta.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import type { Connect } from "../router/ports.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { ReshardView } from "./commands.ts";
import type { MoveJournal } from "./move-journal.ts";
import { count, setMeta } from "./tables.ts";

interface Parts {
  readonly map: ClusterMap;
  readonly journal: MoveJournal;
  readonly storage: SqlStorage;
  readonly connect: Connect;
  readonly clock: Clock;
}

/** A change of the shard count under way. */
interface Reshard {
  readonly target: number;
  readonly phase: "joining" | "settling" | "counting";
  /** Partitions that have resharded. */
  readonly counted: readonly string[];
  readonly trouble: string | null;
}

/** Where a change under way is stored in `meta`; the name is from the first version. */
const UNDER_WAY = "resize";
/** Pairs brought together at once. */
const JOINED_AT_ONCE = 64;

/**
 * Changes the shard count ([SPLIT1]), one doubling or halving after the other.
 *
 * | phase    | what happens                                                   | ends when                          |
 * |----------|----------------------------------------------------------------|------------------------------------|
 * | joining  | halving only: shards that will be one move to the same partition | every pair has one owner          |
 * | settling | no move is begun                                               | none is under way; a pair that parted meanwhile is joined again |
 * | counting | each partition reshards, by itself and at once                 | all have; the new map is out       |
 *
 * Calls go on in every phase: a partition tells the shard from the id, by its own count, and redirects by it.
 */
export class Resharder {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get present(): Reshard | undefined {
    const text = readMeta(this.#parts.storage, UNDER_WAY);
    return text === undefined ? undefined : (JSON.parse(text) as Reshard);
  }

  /** Whether moves other than those that join pairs must wait. */
  get busy(): boolean {
    return this.present !== undefined;
  }

  /** Checks a new count and, unless it is a dry run, begins. */
  begin(target: number, dryRun: boolean): ReshardView {
    const { map } = this.#parts;
    const valid = Number.isInteger(target) && target >= 1 && target <= MAX_SHARDS && (target & (target - 1)) === 0;
    if (!valid)
      throw new EdgeverseError("INVALID_ARGUMENT", `The shard count must be a power of two up to ${MAX_SHARDS}`);
    const present = this.present;
    if (present !== undefined && target === map.shards && present.phase !== "counting") {
      // No partition has resharded yet: it can still be called off.
      if (!dryRun) setMeta(this.#parts.storage, UNDER_WAY, null);
      return this.view();
    }
    if (present !== undefined && present.target !== target) {
      throw new EdgeverseError("CONFLICT", `The shard count is being changed to ${present.target} already`);
    }
    if (target < map.shards) this.#checkPins(target);
    if (present === undefined && target !== map.shards && !dryRun) {
      this.#save({ target, phase: target < map.shards ? "joining" : "settling", counted: [], trouble: null });
      this.#withdrawPlanned();
    }
    if (!dryRun) return this.view();
    const pairs = target < map.shards ? this.#pairs(map.shards / 2) : [];
    return { ...this.view(), target, phase: null, pairsLeft: pairs.length, partitionsLeft: map.everyone.length };
  }

  view(): ReshardView {
    const { map } = this.#parts;
    const present = this.present;
    if (present === undefined) {
      return { shards: map.shards, target: null, phase: null, pairsLeft: 0, partitionsLeft: 0, trouble: null };
    }
    return {
      shards: map.shards,
      target: present.target,
      phase: present.phase,
      pairsLeft: present.phase === "joining" ? this.#pairs(map.shards / 2).length : 0,
      partitionsLeft: map.everyone.length - present.counted.length,
      trouble: present.trouble,
    };
  }

  /** Goes on as far as it can for now; true when something is left to do. Never rejects for what a partition says. */
  async step(): Promise<boolean> {
    const present = this.present;
    if (present === undefined) return false;
    const { map, journal } = this.#parts;
    const next = present.target < map.shards ? map.shards / 2 : map.shards * 2;
    if (present.phase === "joining") {
      const pairs = this.#pairs(next);
      if (pairs.length > 0) this.#join(present, pairs);
      else this.#save({ ...present, phase: "settling" });
      return true;
    }
    if (present.phase === "settling") {
      if (journal.open.size > 0) return true;
      // A move that was under way when this began may have parted a pair.
      const parted = present.target < map.shards && this.#pairs(next).length > 0;
      this.#save({ ...present, phase: parted ? "joining" : "counting" });
      return true;
    }
    return this.#count(present, next);
  }

  async #count(present: Reshard, next: number): Promise<boolean> {
    const { map, storage, connect } = this.#parts;
    let counted = present.counted;
    for (const { name } of map.everyone) {
      if (counted.includes(name)) continue;
      await storage.barrier();
      const reply = await connect(name)
        .reshard(next, map.version)
        .catch(
          (error: unknown) =>
            ({ kind: "refused", reason: error instanceof Error ? error.message : "no answer" }) as const,
        );
      if (reply.kind === "refused") {
        this.#save({ ...present, counted, trouble: `${name}: ${reply.reason}` });
        return true;
      }
      counted = [...counted, name];
      this.#save({ ...present, counted, trouble: null });
    }
    storage.transaction(() => {
      map.reshard(next);
      count(storage, "resizes");
      if (next === present.target) setMeta(storage, UNDER_WAY, null);
      else {
        const phase = present.target < next ? "joining" : "settling";
        this.#save({ target: present.target, phase, counted: [], trouble: null });
      }
    });
    return next !== present.target;
  }

  /** Pairs of shards that would be one and have different owners. */
  #pairs(half: number): { readonly low: number; readonly high: number }[] {
    const { map } = this.#parts;
    const pairs = [];
    for (let low = 0; low < half; low++) {
      if (map.owner(low) !== map.owner(low + half)) pairs.push({ low, high: low + half });
    }
    return pairs;
  }

  #join(present: Reshard, pairs: readonly { readonly low: number; readonly high: number }[]): void {
    const { map, journal, clock } = this.#parts;
    let trouble: string | null = null;
    for (const { low, high } of pairs) {
      if (journal.open.size >= JOINED_AT_ONCE) return;
      if (journal.of(low) !== undefined || journal.of(high) !== undefined) continue;
      // The pinned one stays.
      const [shard, other] = map.note(high).pinned && !map.note(low).pinned ? [low, high] : [high, low];
      if (map.note(shard).retryAt > clock.now()) {
        trouble ??= `shard ${shard}: ${journal.list({ limit: 1, shard })[0]?.trouble ?? "its move was undone"}`;
        continue;
      }
      const order = {
        shard,
        shards: map.shards,
        from: map.owner(shard),
        to: map.owner(other),
        mapVersion: map.version,
      };
      journal.plan(order, "split", `to be one with shard ${other}`);
    }
    if (trouble !== null && trouble !== present.trouble) this.#save({ ...present, trouble });
  }

  #withdrawPlanned(): void {
    const { journal } = this.#parts;
    for (const move of [...journal.open.values()]) {
      if (move.state.phase !== "planned") continue;
      journal.advance(move, { ...move.state, phase: "undone", reason: "the shard count is being changed" });
    }
  }

  #checkPins(target: number): void {
    const { map } = this.#parts;
    const pins = new Map<number, string>();
    for (const { shard, pinned, pinnedTo, partition } of map.notes.values()) {
      if (!pinned) continue;
      const place = pinnedTo ?? partition;
      const other = pins.get(shard % target);
      if (other !== undefined && other !== place) {
        throw new EdgeverseError("CONFLICT", `Shards that would be one are pinned to ${other} and ${place}`);
      }
      pins.set(shard % target, place);
    }
  }

  #save(reshard: Reshard): void {
    setMeta(this.#parts.storage, UNDER_WAY, JSON.stringify(reshard));
  }
}
