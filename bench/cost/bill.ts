import type { Counts } from "./counts.ts";
import { ASSUMED_REQUEST_MS, OBJECT_GIGABYTES, POSTGRES_UNITS, PRICES, type Price } from "./prices.ts";

/** Dollars for what was counted, each part by the name of its price. */
export interface Bill {
  readonly parts: Readonly<Record<keyof typeof PRICES, number>>;
  readonly dollars: number;
}

/** Nothing is free here: what a plan includes is used up by the first million. */
export function billOf(counts: Counts): Bill {
  const seconds = (counts.timerMs + counts.objectRequests * ASSUMED_REQUEST_MS) / 1_000;
  const used: Record<keyof typeof PRICES, number> = {
    workerRequests: counts.workerRequests,
    objectRequests: counts.objectRequests,
    rowsRead: counts.rowsRead,
    rowsWritten: counts.rowsWritten,
    gigabyteSeconds: seconds * OBJECT_GIGABYTES,
    computeHours: (counts.postgresMinutes / 60) * POSTGRES_UNITS,
  };
  const price = ({ dollars, per }: Price, units: number) => (dollars / per) * units;
  const names = Object.keys(PRICES) as (keyof typeof PRICES)[];
  const parts = Object.fromEntries(names.map((name) => [name, price(PRICES[name], used[name])])) as Bill["parts"];
  return { parts, dollars: names.reduce((sum, name) => sum + parts[name], 0) };
}
