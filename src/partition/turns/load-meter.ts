import type { LoadReport, ShardTraffic } from "../../placement/load-report.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { Ownership } from "../storage/ownership.ts";

/** Ms between two reports of a partition that has traffic. */
const REPORT_EVERY = 10_000;
/** Shards in a report, the busiest. */
const MOST = 512;
/** Shards whose objects are counted for one report, and how long a count is good for. */
const COUNTED = 8;
const COUNT_AGAIN = 600_000;
/** Objects of a shard that are counted; one that has more counts as this many. Callers wait while it is done. */
const LOOKED_AT = 10_000;

interface Traffic {
  calls: number;
  busy: number;
}

/**
 * Counts what shards have to do ([PLAN1]). A report is due with the first turn after the interval, so a partition without
 * traffic sends none and needs no timer ([MEM2]).
 */
export class LoadMeter {
  readonly #clock: Clock;
  readonly #ownership: Ownership;
  readonly #storage: SqlStorage;
  readonly #send: (report: LoadReport) => void;
  readonly #traffic = new Map<number, Traffic>();
  readonly #counted = new Map<number, number>();
  #since: number;

  constructor(parts: {
    clock: Clock;
    ownership: Ownership;
    storage: SqlStorage;
    send: (report: LoadReport) => void;
  }) {
    this.#clock = parts.clock;
    this.#ownership = parts.ownership;
    this.#storage = parts.storage;
    this.#send = parts.send;
    this.#since = parts.clock.now();
  }

  /** A turn at `position` has ended, after `busy` ms. */
  turn(position: number, busy: number, now: number): void {
    const shard = this.#ownership.shardAt(position);
    if (shard < 0) return;
    const traffic = this.#traffic.get(shard);
    if (traffic === undefined) this.#traffic.set(shard, { calls: 1, busy });
    else {
      traffic.calls++;
      traffic.busy += busy;
    }
    if (now - this.#since >= REPORT_EVERY) this.#report(now);
  }

  #report(now: number): void {
    const busiest = [...this.#traffic].sort(([, a], [, b]) => b.calls + b.busy - (a.calls + a.busy)).slice(0, MOST);
    const period = now - this.#since;
    this.#since = now;
    this.#traffic.clear();
    // Not in the event of the turn: counting takes a while.
    this.#clock.soon(() => {
      let counts = 0;
      // The shard count may have changed since.
      const present = busiest.filter(([shard]) => shard < this.#ownership.shards);
      const shards = present.map(([shard, { calls, busy }]): ShardTraffic => {
        const due = (this.#counted.get(shard) ?? 0) + COUNT_AGAIN <= now;
        if (!due || counts >= COUNTED) return { shard, calls, busy };
        counts++;
        this.#counted.set(shard, now);
        return { shard, calls, busy, stored: this.#count(shard) };
      });
      this.#send({ partition: this.#ownership.name, period, shards });
    });
  }

  #count(shard: number): NonNullable<ShardTraffic["stored"]> {
    const { first, last } = this.#ownership.range(shard);
    const rows = this.#storage.query<{ type: string; objects: number; bytes: number }>(
      `SELECT type, count(*) AS objects, sum(length(state)) AS bytes FROM (
         SELECT type, state FROM objects WHERE position BETWEEN ? AND ? LIMIT ?) GROUP BY type`,
      first,
      last,
      LOOKED_AT,
    );
    return {
      objects: rows.reduce((sum, row) => sum + row.objects, 0),
      bytes: rows.reduce((sum, row) => sum + row.bytes, 0),
      types: rows.map((row) => row.type).slice(0, 64),
    };
  }
}
