import { type Bill, billOf } from "./bill.ts";
import { type Counts, divided } from "./counts.ts";
import type { Site } from "./site.ts";
import type { Work } from "./works.ts";

/** What one call, or whatever it is, counts and costs. */
export interface Cost {
  readonly counts: Counts;
  readonly bill: Bill;
  /** Once, after all of them: how long timers kept Durable Objects awake, and Postgres was. */
  readonly afterwards: Pick<Counts, "timerMs" | "postgresMinutes">;
}

export interface WorkCost {
  readonly name: string;
  readonly alone: boolean;
  readonly ours: Cost;
  /** The same by hand, where that is possible. */
  readonly bare?: Cost;
}

/** What work leaves behind is over by then: log shipped, alarms gone, everything asleep. */
const AFTERWARDS = 120_000;

export async function costOf({ name, alone = false, prepare, run, bare }: Work, site: Site): Promise<WorkCost> {
  await prepare?.(site);
  await site.pass(AFTERWARDS);
  const ours = await cost(site, alone, run);
  return { name, alone, ours, ...(bare === undefined ? {} : { bare: await cost(site, alone, bare) }) };
}

async function cost(site: Site, alone: boolean, run: (site: Site) => Promise<number>): Promise<Cost> {
  await site.reset();
  const units = await run(site);
  const total = await site.pass(AFTERWARDS);
  const { timerMs, postgresMinutes } = total;
  const counts = divided(alone ? total : { ...total, timerMs: 0, postgresMinutes: 0 }, units);
  return { counts, bill: billOf(counts), afterwards: { timerMs, postgresMinutes } };
}
