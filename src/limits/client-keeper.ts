import type { RefusalCounters } from "../observe/refusal-counters.ts";
import { debtOf, paceOf } from "./bucket.ts";
import type { BucketTable } from "./bucket-table.ts";
import { BucketTables } from "./bucket-tables.ts";
import { type ClientDebts, type ClientReport, keyOfLimit, type LimitReport } from "./client-report.ts";
import { MAX_LIMITS } from "./limits-schema.ts";
import { SteadyTime } from "./steady-time.ts";

/** Estimated bytes of the buckets of one keeper. */
const BYTES = 4 * 1024 * 1024;
/** Limits that it remembers: routers may have other versions of them for a while. */
const REMEMBERED = MAX_LIMITS;

/**
 * Keeps, for some clients, what they have used at all routers together ([LIM4]). It refuses nothing: a router has, when it
 * reports. So a bucket may owe more than it holds, and is paid off by and by.
 */
export class ClientKeeper {
  readonly #time: SteadyTime;
  readonly #counters: RefusalCounters;
  readonly #tables = new BucketTables(BYTES);
  /** The one that was reported last comes last. */
  readonly #limits = new Set<string>();

  constructor(parts: { readonly now: () => number; readonly counters: RefusalCounters }) {
    this.#time = new SteadyTime(parts.now);
    this.#counters = parts.counters;
  }

  /** Estimated bytes of its buckets. */
  get bytes(): number {
    return this.#tables.bytes;
  }

  report({ limits, refused }: ClientReport): ClientDebts {
    for (const [name, times] of Object.entries(refused)) this.#counters.add(name, times);
    const now = this.#time.now();
    return limits.map((limit) => {
      const { interval } = paceOf(limit);
      const table = this.#table(limit, now);
      return limit.clients.map((client, place) => {
        const debt = debtOf(table.get(client), now) + (limit.used[place] ?? 0) * interval;
        table.set(client, now + debt, now);
        return debt;
      });
    });
  }

  #table(limit: LimitReport, now: number): BucketTable {
    const text = keyOfLimit(limit);
    const isNew = !this.#limits.delete(text);
    this.#limits.add(text);
    if (isNew) {
      const [first] = this.#limits;
      if (this.#limits.size > REMEMBERED) this.#limits.delete(first as string);
      this.#tables.keep(
        Array.from(this.#limits, (each) => ({ text: each })),
        now,
      );
    }
    return this.#tables.of({ text });
  }
}
