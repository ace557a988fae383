import type { Config } from "../config/config.ts";
import type { Limits } from "../limits/limits-schema.ts";
import type { Registry } from "../object/registry.ts";
import type { Genesis } from "../placement/shard-map.ts";
import type { AsyncScope, Clock, Random, SqlStorage } from "../platform/ports.ts";
import type { Gates } from "../push/ports.ts";
import type { ReconcileReport } from "../reliable/maintenance-report.ts";
import type { CallLog } from "../reliable/ports.ts";
import type { Connect } from "../router/ports.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { EventRoutes } from "./events/ports.ts";
import type { Bootstrapper } from "./ports.ts";
import type { LoadSink, Observer, Peers } from "./turns/ports.ts";
import type { Turn } from "./turns/turn.ts";

/** What a partition is made of. */
export interface PartitionOptions {
  /** Of these are `registry` and `config`: they change with them. */
  readonly settings: LiveSettings;
  readonly registry: Registry;
  readonly config: Config;
  /** How often clients may call; default: without limits. */
  readonly limits?: Limits | undefined;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: AsyncScope<Turn>;
  readonly peers: Peers;
  /** What holds the connections of clients; undefined where the host has none. */
  readonly gates?: Gates | undefined;
  readonly bootstrapper: Bootstrapper;
  /** Reaches other partitions: shards move from one to the next directly. */
  readonly connect: Connect;
  readonly loads: LoadSink;
  /** The log in Postgres. Undefined: the log is local ([CALL14]). */
  readonly log: CallLog | undefined;
  /** Reconciles the log. */
  readonly reconcile: () => Promise<ReconcileReport>;
  /** Bytes of memory that it may use now, of what it shares with others; default: `config.partitionMemory`. */
  readonly memory?: () => number;
  readonly observer: Observer;
  /** Where events go. Without it, nowhere. */
  readonly events?: EventRoutes | undefined;
  /** The Worker's bindings, which objects reach as `this.env`. */
  readonly env?: unknown;
  /** The genesis of a cluster that does not exist yet. */
  readonly proposal: Genesis;
  /** The name of a new partition; an older one has stored its own. */
  readonly name: string | undefined;
}
