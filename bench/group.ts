import type { Comparison } from "./compare.ts";
import type { Context } from "./context.ts";
import type { Plan } from "./load/job.ts";
import type { Server } from "./server.ts";

/** One thing to measure. */
export interface Case {
  readonly name: string;
  readonly server: Server;
  readonly connections: number;
  readonly plan: Plan;
  /** What one request counts for. */
  readonly callsPerRequest?: number;
}

/** Cases measured in alternation, so that each is compared with what the machine gave at the time. */
export interface RateGroup {
  readonly kind: "rates";
  readonly name: string;
  readonly title: string;
  cases(context: Context): Promise<readonly Case[]>;
  readonly comparisons: readonly Comparison[];
}

/** A number that is no rate. */
export interface Fact {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export interface FactGroup {
  readonly kind: "facts";
  readonly name: string;
  readonly title: string;
  measure(context: Context): Promise<readonly Fact[]>;
}

export type Group = RateGroup | FactGroup;
