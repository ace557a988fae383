import type * as z from "zod";
import type { AccessRule } from "../access/access.ts";
import type { configSchema } from "../config/config.ts";
import type { Limits } from "../limits/limits-schema.ts";
import type { ObjectClass } from "../object/object-class.ts";
import type { Clock } from "../platform/ports.ts";
import type { PushOptions } from "../push/push-rules.ts";
import type { ManualClock } from "./clocks.ts";
import type { MemoryCallLog } from "./memory-call-log.ts";
import type { SqliteStorage } from "./sqlite-storage.ts";
import type { TestSinks } from "./test-sinks.ts";

export interface TestClusterOptions<ClockType extends Clock = ManualClock> {
  /** The classes that the cluster serves. */
  readonly objects: readonly ObjectClass[];
  /** Who may call what, as `defineHost` takes it. It is for calls with an `identity`: others are the test's own. */
  readonly access?: readonly AccessRule[];
  /** How often clients may call, as `defineHost` takes it. It is for calls with an `identity`: others are the test's own. */
  readonly limits?: Limits;
  /** How many partitions it begins with: `p0`, `p1` and so on; default 1. */
  readonly partitions?: number;
  /** Settings by their names, such as `{ callTimeout: "1s" }`. */
  readonly config?: Partial<z.input<typeof configSchema>>;
  /** Default: a `ManualClock`. `systemClock` lets time pass by itself. */
  readonly clock?: ClockType;
  /** The log of reliable calls; default: one in memory. With `false` the log is local. */
  readonly log?: MemoryCallLog | false;
  /** Where events go; default: all to `cluster.events`. @internal */
  readonly sinks?: TestSinks;
  /** What clients may do over a connection; default: everything. */
  readonly push?: PushOptions;
  /** What objects reach as `this.env`. */
  readonly env?: Partial<Cloudflare.Env>;
  /** The database of partition `name`, or of "coordinator"; default: a new one in memory. @internal */
  readonly storageOf?: (name: string) => SqliteStorage;
}
