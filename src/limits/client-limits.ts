import type { Identity } from "../access/identity.ts";
import { RefusalCounters } from "../observe/refusal-counters.ts";
import { debtOf, tokensLeft, waitFor } from "./bucket.ts";
import { BucketTables } from "./bucket-tables.ts";
import { ClientReports, type ReportParts } from "./client-reports.ts";
import { isExempt, LimitSet, type ReadyLimit } from "./limit-set.ts";
import type { Limits } from "./limits-schema.ts";
import { refusal } from "./refusal.ts";
import { SteadyTime } from "./steady-time.ts";

/** Estimated bytes of the buckets of one router. */
const BYTES = 8 * 1024 * 1024;

/** What is left to a client of a limit. */
export interface Standing {
  readonly limit: ReadyLimit;
  /** Whole tokens. */
  readonly left: number;
  /** Ms until its bucket is full again. */
  readonly debt: number;
}

export interface ClientLimitParts extends Omit<ReportParts, "learn"> {
  readonly limits: Limits;
}

/**
 * Limits of clients, at each router and without a message on the way ([LIM4]). A bucket here has what the client has used here,
 * and what its keeper said last that it had used everywhere.
 */
export class ClientLimits {
  readonly counters = new RefusalCounters();
  readonly #time: SteadyTime;
  readonly #reports: ClientReports;
  readonly #tables = new BucketTables(BYTES);
  #set = new LimitSet({}, []);

  constructor({ limits, ...parts }: ClientLimitParts) {
    this.#time = new SteadyTime(() => parts.clock.now());
    this.#reports = new ClientReports({ ...parts, learn: (...what) => this.#learn(...what) });
    this.apply(limits);
  }

  /** Other limits from now on. Those that are as before keep their buckets. */
  apply(limits: Limits): void {
    this.#set = new LimitSet(limits, ["client"]);
    this.#tables.keep(this.#set.limits, this.#time.now());
  }

  /** Whether there is any limit: if there is none, nobody need ask who a client is. */
  get isEmpty(): boolean {
    return this.#set.isEmpty;
  }

  /**
   * Takes what a request of a client costs, and says what is left. Without a method it is for something that is no call,
   * without a type for what names no object.
   *
   * @param client as `clientName` has it
   * @throws EdgeverseError `RATE_LIMITED`
   */
  take(client: string, identity: Identity | undefined, type?: string, method?: string): readonly Standing[] {
    const charges = this.#set.charges(type, method).filter(({ limit }) => !isExempt(limit, identity));
    const now = this.#time.now();
    // First look, then take: what one limit refuses costs nothing of the others.
    for (const { limit, cost } of charges) {
      const debt = this.#debt(limit, client, now);
      const wait = waitFor(debt, cost, limit.pace);
      if (wait === 0) continue;
      this.counters.add(limit.name);
      this.#reports.note(limit, client, 0);
      throw refusal(limit, cost, wait, tokensLeft(debt, limit.pace));
    }
    return charges.map(({ limit, cost }) => {
      const debt = this.#debt(limit, client, now) + cost * limit.pace.interval;
      this.#tables.of(limit).set(client, now + debt, now);
      this.#reports.note(limit, client, cost);
      return { limit, debt, left: tokensLeft(debt, limit.pace) };
    });
  }

  #debt(limit: ReadyLimit, client: string, now: number): number {
    return debtOf(this.#tables.of(limit).get(client), now);
  }

  #learn(limit: ReadyLimit, client: string, debt: number, since: number): void {
    if (!this.#set.limits.some(({ text }) => text === limit.text)) return;
    const now = this.#time.now();
    this.#tables.of(limit).set(client, now + debt + since * limit.pace.interval, now);
  }
}
