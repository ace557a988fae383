import type { LoadReport, ShardTraffic } from "../../placement/load-report.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { Ownership } from "../storage/ownership.ts";
import type { LoadSink } from "./ports.ts";

/** Ms between two reports of a partition that has traffic. */
const REPORT_EVERY = 30_000;
/** Shards in a report, the busiest. */
const MOST = 512;
/** Shards whose objects are counted for one report, and how long a count is good for. */
const COUNTED = 8;
const COUNT_AGAIN = 3_600_000;
/** Objects of a shard that are counted; one that has more counts as this many. */
const LOOKED_AT = 10_000;
/** Objects counted in one event. */
const SLICE = 500;
/** Types of a shard that a report names. */
const TYPES = 64;

interface Parts {
  readonly clock: Clock;
  readonly ownership: Ownership;
  readonly storage: SqlStorage;
  /** Takes the reports; undefined when nobody plans by them. */
  readonly loads: () => LoadSink | undefined;
}

interface Traffic {
  calls: number;
  busy: number;
  readonly types: Set<string>;
}

/** A place among the objects of a shard. */
interface Place {
  readonly position: number;
  readonly type: string;
  readonly id: string;
}

/**
 * Counts what shards have to do ([PLAN1]). A report is due with the first turn after the interval, so a partition without
 * traffic sends none and needs no timer ([MEM2]); and only where plans go by reports.
 */
export class LoadMeter {
  readonly #parts: Parts;
  readonly #counted = new Map<number, number>();
  #traffic = new Map<number, Traffic>();
  #since: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#since = parts.clock.now();
  }

  /** A turn of an object of `type` at `position` has ended, after `busy` ms. */
  turn(position: number, type: string, busy: number, now: number): void {
    const { ownership, loads } = this.#parts;
    const shard = ownership.shardAt(position);
    if (shard < 0) return;
    let traffic = this.#traffic.get(shard);
    if (traffic === undefined) {
      traffic = { calls: 0, busy: 0, types: new Set() };
      this.#traffic.set(shard, traffic);
    }
    traffic.calls++;
    traffic.busy += busy;
    traffic.types.add(type);
    if (now - this.#since < REPORT_EVERY) return;
    const sink = loads();
    if (sink === undefined) return;
    // A report that is lost is no loss: the next one follows.
    this.report()
      .then((report) => sink.report(report))
      .catch(() => undefined);
  }

  /** What shards had to do since the last report, or since the partition started. */
  async report(): Promise<LoadReport> {
    const { clock, ownership } = this.#parts;
    const now = clock.now();
    const period = now - this.#since;
    const busiest = [...this.#traffic].sort(([, a], [, b]) => b.calls + b.busy - (a.calls + a.busy)).slice(0, MOST);
    this.#since = now;
    this.#traffic = new Map();
    const shards: ShardTraffic[] = [];
    let counts = 0;
    for (const [shard, { calls, busy, types }] of busiest) {
      const traffic = { shard, calls, busy, types: [...types].slice(0, TYPES) };
      const due = (this.#counted.get(shard) ?? 0) + COUNT_AGAIN <= now && counts < COUNTED;
      const stored = due ? await this.#count(shard) : undefined;
      // The shard count may have changed meanwhile.
      if (shard >= ownership.shards) continue;
      shards.push(stored === undefined ? traffic : { ...traffic, stored });
      if (!due) continue;
      counts++;
      this.#counted.set(shard, now);
    }
    return { partition: ownership.name, period, shards };
  }

  /** Looks at the shard's objects a few at a time: calls get in between. */
  async #count(shard: number): Promise<ShardTraffic["stored"]> {
    const types = new Set<string>();
    let [objects, bytes] = [0, 0];
    let after: Place | undefined;
    do {
      const slice = await this.#slice(shard, after);
      for (const row of slice) {
        types.add(row.type);
        bytes += row.bytes;
      }
      objects += slice.length;
      after = slice.length < SLICE ? undefined : slice.at(-1);
    } while (after !== undefined && objects < LOOKED_AT);
    return { objects, bytes, types: [...types].slice(0, TYPES) };
  }

  async #slice(shard: number, after: Place | undefined): Promise<(Place & { readonly bytes: number })[]> {
    const { clock, ownership, storage } = this.#parts;
    await new Promise<void>((resolve) => clock.soon(resolve));
    if (shard >= ownership.shards) return [];
    const { first, last } = ownership.range(shard);
    const { position, type, id } = after ?? { position: first, type: "", id: "" };
    return storage.query<{ position: number; type: string; id: string; bytes: number }>(
      COUNT,
      position,
      type,
      id,
      last,
      SLICE,
    );
  }
}

/** `octet_length` of a column is in the row's header: SQLite does not read the text for it, as it does for `length`. */
export const COUNT = `SELECT position, type, id, octet_length(state) AS bytes FROM objects
  WHERE (position, type, id) > (?, ?, ?) AND position <= ? ORDER BY position, type, id LIMIT ?`;
