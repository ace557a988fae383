import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { type LoadReport, usesReports } from "../placement/load-report.ts";
import type { Policy, ShardLoad } from "../placement/plan-types.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { Connect } from "../router/ports.ts";
import type { ClusterMap } from "./cluster-map.ts";

interface Parts {
  readonly map: ClusterMap;
  readonly connect: Connect;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly policy: Policy;
}

/** What is known of a shard, and since when. */
type Entry = ShardLoad & { readonly shard: number; readonly at: number };

/** Reports count half after this many ms. */
const HALF_LIFE = 60_000;
/** Characters that one partition's shards may take in their row; beyond that those reported last are kept. */
const MOST_TEXT = 1_000_000;
/** Types kept of a shard, of those that rules name. */
const TYPES = 16;
/** Ms a partition has to answer, and ms that its answer is good for. */
const ANSWER_WITHIN = 10_000;
const GOOD_FOR = 60_000;
/** Ms between two plans that reports ask for. */
const PLAN_EVERY = 30_000;

/**
 * What partitions report of their shards ([PLAN1]): one row for each partition, written when it reports. A new process of the
 * coordinator goes on from there.
 */
export class Loads {
  readonly #parts: Parts;
  #reported: Map<string, Map<number, Entry>> | undefined;
  #askedAt = 0;
  #plannedAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Types that a rule names: of the others nobody asks. */
  get #ruled(): ReadonlySet<string> {
    const { rules } = this.#parts.policy;
    return new Set(rules.flatMap(({ type, affinity = [], antiAffinity = [] }) => [type, ...affinity, ...antiAffinity]));
  }

  /**
   * Asks the partitions, unless they report by themselves.
   * @throws EdgeverseError `UNAVAILABLE` when one does not answer: it would seem to have nothing to do
   */
  async ask(): Promise<void> {
    const { map, connect, clock, policy } = this.#parts;
    if (usesReports(policy) || clock.now() - this.#askedAt < GOOD_FOR) return;
    const late = (name: string) =>
      new EdgeverseError(
        "UNAVAILABLE",
        `Partition "${name}" does not say its load: without it no plan by load is good`,
      );
    const asked = map.members.map(async ({ name }) => {
      const report = Promise.resolve().then(() => connect(name).load());
      return within(clock, ANSWER_WITHIN, report, () => late(name)).catch(() => Promise.reject(late(name)));
    });
    for (const report of await Promise.all(asked)) this.#keep(report);
    this.#askedAt = clock.now();
  }

  /** Keeps what a partition reports. Says why a plan is due, if one is. */
  report(report: LoadReport): "rules" | "load" | undefined {
    const { clock, policy } = this.#parts;
    if (!usesReports(policy)) return undefined;
    // What a shard holds decides which rules concern it, and only reports tell.
    const ruled = this.#keep(report);
    const now = clock.now();
    if ((policy.strategy !== "load" && !ruled) || now - this.#plannedAt < PLAN_EVERY) return undefined;
    this.#plannedAt = now;
    return ruled ? "rules" : "load";
  }

  /** Keeps a report; rates fade with its age. Says whether it tells of a type that a rule is of. */
  #keep({ partition, period, shards }: LoadReport): boolean {
    const { map, storage, clock, policy } = this.#parts;
    if (!map.members.some(({ name }) => name === partition)) return false;
    const now = clock.now();
    const seconds = Math.max(1, period / 1_000);
    const known = this.#all.get(partition) ?? new Map<number, Entry>();
    this.#all.set(partition, known);
    const seen = new Set<string>();
    const named = this.#ruled;
    for (const { shard, calls, busy, types = [], stored } of shards) {
      if (!Number.isInteger(shard) || shard < 0 || shard >= map.shards) continue;
      const before = known.get(shard) ?? this.#newest(shard);
      const held = new Set([...types, ...(stored?.types ?? before?.types ?? [])].filter((type) => named.has(type)));
      for (const type of held) seen.add(type);
      // Those reported last are last.
      known.delete(shard);
      known.set(shard, {
        shard,
        calls: calls / seconds,
        busy: busy / seconds,
        objects: stored?.objects ?? before?.objects ?? 0,
        bytes: stored?.bytes ?? before?.bytes ?? 0,
        types: [...held].slice(0, TYPES),
        at: now,
      });
    }
    storage.query(
      "INSERT INTO reports VALUES (?1, ?2) ON CONFLICT (partition) DO UPDATE SET shards = ?2",
      partition,
      textOf(known),
    );
    return policy.rules.some(({ type }) => seen.has(type));
  }

  /** What each shard has to do as of now. */
  get present(): Map<number, ShardLoad> {
    const now = this.#parts.clock.now();
    const newest = new Map<number, Entry>();
    for (const known of this.#all.values()) {
      for (const entry of known.values()) {
        const other = newest.get(entry.shard);
        if (other === undefined || other.at < entry.at) newest.set(entry.shard, entry);
      }
    }
    return new Map([...newest].map(([shard, entry]) => [shard, faded(entry, now)]));
  }

  /** A shard has come from another partition. */
  #newest(shard: number): Entry | undefined {
    const entries = [...this.#all.values()].flatMap((known) => known.get(shard) ?? []);
    return entries.sort((left, right) => right.at - left.at)[0];
  }

  get #all(): Map<string, Map<number, Entry>> {
    this.#reported ??= new Map(
      this.#parts.storage
        .query<{ partition: string; shards: string }>("SELECT partition, shards FROM reports")
        .map(({ partition, shards }) => {
          const entries = JSON.parse(shards) as Entry[];
          return [partition, new Map(entries.map((entry) => [entry.shard, entry]))];
        }),
    );
    return this.#reported;
  }
}

function faded({ at, calls, busy, objects, bytes, types }: Entry, now: number): ShardLoad {
  const fade = 0.5 ** Math.max(0, (now - at) / HALF_LIFE);
  return { objects, bytes, calls: calls * fade, busy: busy * fade, types };
}

/** The shards as JSON. Lets those go that were reported long ago if there are too many. */
function textOf(known: Map<number, Entry>): string {
  for (;;) {
    const text = JSON.stringify([...known.values()]);
    if (text.length <= MOST_TEXT) return text;
    for (const shard of [...known.keys()].slice(0, Math.ceil(known.size / 4))) known.delete(shard);
  }
}
