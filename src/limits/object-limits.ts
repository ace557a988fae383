import type { Identity } from "../access/identity.ts";
import type { RefusalCounters } from "../observe/refusal-counters.ts";
import { debtOf, tokensLeft, waitFor } from "./bucket.ts";
import { BucketTables } from "./bucket-tables.ts";
import { isExempt, LimitSet, type ReadyLimit } from "./limit-set.ts";
import type { Limits } from "./limits-schema.ts";
import { refusal } from "./refusal.ts";
import { SteadyTime } from "./steady-time.ts";

/** Estimated bytes of the buckets of one partition; as many are for the clients that it keeps. */
const BYTES = 4 * 1024 * 1024;

/** Who calls: only clients are limited. */
interface Calling {
  readonly kind: "client" | "object" | "worker" | "system";
  readonly identity?: Identity;
}

/**
 * Limits of objects and of methods, at the partition that has the objects: exact, since every call of an object comes here
 * ([LIM3]). The buckets are in memory, but not with the objects: one that is let go of keeps its bucket.
 */
export class ObjectLimits {
  readonly #time: SteadyTime;
  readonly #counters: RefusalCounters;
  readonly #tables = new BucketTables(BYTES);
  #set = new LimitSet({}, []);

  constructor(parts: { readonly now: () => number; readonly counters: RefusalCounters; readonly limits: Limits }) {
    this.#time = new SteadyTime(parts.now);
    this.#counters = parts.counters;
    this.apply(parts.limits);
  }

  /** Other limits from now on. Those that are as before keep their buckets. */
  apply(limits: Limits): void {
    this.#set = new LimitSet(limits, ["object", "method"]);
    this.#tables.keep(this.#set.limits, this.#time.now());
  }

  /** Takes what a client's call costs. Nobody else's costs anything ([LIM5]). @throws EdgeverseError `RATE_LIMITED` */
  take(caller: Calling, type: string, id: string, method?: string): void {
    if (this.#set.isEmpty || caller.kind !== "client") return;
    const charges = this.#set.charges(type, method);
    if (charges.length === 0) return;
    const now = this.#time.now();
    // First look, then take: what one limit refuses costs nothing of the others.
    for (const { limit, cost } of charges) {
      if (isExempt(limit, caller.identity)) continue;
      const debt = debtOf(this.#tables.of(limit).get(keyFor(limit, type, id, method)), now);
      const wait = waitFor(debt, cost, limit.pace);
      if (wait === 0) continue;
      this.#counters.add(limit.name);
      throw refusal(limit, cost, wait, tokensLeft(debt, limit.pace));
    }
    for (const { limit, cost } of charges) {
      if (isExempt(limit, caller.identity)) continue;
      const table = this.#tables.of(limit);
      const key = keyFor(limit, type, id, method);
      table.set(key, now + debtOf(table.get(key), now) + cost * limit.pace.interval, now);
    }
  }
}

function keyFor({ per }: ReadyLimit, type: string, id: string, method: string | undefined): string {
  return per === "object" ? `${type}/${id}` : `${type}.${method ?? ""}`;
}
