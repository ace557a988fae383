import type { RefusalCounts } from "../observe/refusal-counters.ts";

/** What clients have used of one limit at one router since it said so last. */
export interface LimitReport {
  readonly name: string;
  readonly rate: number;
  readonly burst: number;
  readonly clients: readonly string[];
  /** Tokens, in the order of the clients; 0 for one that only asks. */
  readonly used: readonly number[];
}

/** From a router to a keeper. */
export interface ClientReport {
  readonly limits: readonly LimitReport[];
  /** Calls that the router refused, by limit. */
  readonly refused: RefusalCounts;
}

/** What each client owes, at all routers together, in ms until its bucket is full: in the order of the report. */
export type ClientDebts = readonly (readonly number[])[];

/** A limit as its reports name it: another rate makes it another limit. */
export function keyOfLimit({ name, rate, burst }: Pick<LimitReport, "name" | "rate" | "burst">): string {
  return `${name} ${rate} ${burst}`;
}
