import type * as z from "zod";
import type { TypeAccess } from "../access/access.ts";
import type { EventSchemas } from "./event.ts";
import type { LiveOptions } from "./live.ts";
import type { LogPolicy, MethodOptions } from "./method.ts";
import type { IndexFunction } from "./object-index.ts";
import type { MoveVote, ShardMove } from "./shard-move.ts";
import type { VirtualObject } from "./virtual-object.ts";

/** A class that `defineHost` takes: a concrete `VirtualObject` with its static description. */
export interface ObjectClass {
  new (): VirtualObject<unknown>;
  readonly type: string;
  readonly state: z.ZodType;
  readonly methods: Readonly<Record<string, MethodOptions>>;
  readonly events: EventSchemas;
  readonly version: number;
  readonly index: Readonly<Record<string, IndexFunction>>;
  readonly autoCreate: boolean;
  readonly create: z.ZodType | undefined;
  readonly reentrant: boolean;
  readonly timeout: string | undefined;
  readonly retention: string | undefined;
  readonly access: TypeAccess | undefined;
  readonly live: LiveOptions | undefined;
  readonly log: LogPolicy;
  readonly autoLoad: "global" | "shard" | "partition" | undefined;
  shardBy?(id: string): string | undefined;
  onMove?(move: ShardMove): MoveVote;
  upgrade(old: unknown, from: number): unknown;
}
