import { type Config, configFromEnvironment } from "../src/config/config.ts";
import type { LocationHint } from "../src/config/location-hint.ts";
import type { CoordinatorAdmin } from "../src/coordinator/commands.ts";
import type { CoordinatorStatus } from "../src/coordinator/coordinator.ts";
import { policyOf } from "../src/coordinator/policy.ts";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";
import type { LoadReport } from "../src/placement/load-report.ts";
import type { Genesis, MapDocument } from "../src/placement/shard-map.ts";
import { within } from "../src/platform/within.ts";
import type { CallLog } from "../src/reliable/ports.ts";
import { LearnedMap } from "../src/router/map-cache.ts";
import type { Connect, PartitionClient } from "../src/router/ports.ts";
import { clock } from "./platform.ts";
import { PostgresCallLog } from "./postgres-log.ts";

export type PartitionObject = Rpc.DurableObjectBranded & PartitionClient;

/** The coordinator as partitions and the HTTP layer reach it by RPC. */
export interface CoordinatorRpc extends CoordinatorAdmin {
  bootstrap(proposal: Genesis): Promise<{ readonly genesis: Genesis; readonly shards: number }>;
  map(): Promise<MapDocument | undefined>;
  status(): Promise<CoordinatorStatus>;
  report(report: LoadReport): Promise<void>;
  /** Goes on with what is under way. */
  wake(): Promise<void>;
}

export type CoordinatorObject = Rpc.DurableObjectBranded & CoordinatorRpc;

/** Bindings of the worker; `EDGEVERSE_*` settings stand beside them. */
export interface Env {
  readonly PARTITION: DurableObjectNamespace<PartitionObject>;
  readonly COORDINATOR: DurableObjectNamespace<CoordinatorObject>;
  readonly EDGEVERSE_ADMIN_TOKEN?: string;
  /** Postgres that holds the log of reliable calls; without it there is none. */
  readonly DATABASE_URL?: string;
  /** Where to send SQL instead of the host of `DATABASE_URL`: the local bridge. */
  readonly EDGEVERSE_SQL_ENDPOINT?: string;
}

/** What every part of a deployment derives from its environment, once an isolate. */
export interface Deployment {
  readonly config: Config;
  readonly proposal: Genesis;
  readonly cache: LearnedMap;
  readonly log: CallLog | undefined;
  readonly connect: Connect;
  /** A stub of the coordinator, made anew for every message. */
  readonly coordinator: () => CoordinatorRpc;
}

/** Ms a call may be held up by a look at the coordinator's map. */
const MAP_WITHIN = 500;

const deployments = new WeakMap<Env, Deployment>();

/** @throws Error when the environment's settings can't be used; the message names them */
export function deploymentOf(env: Env): Deployment {
  const known = deployments.get(env);
  if (known !== undefined) return known;
  const made = deploy(env);
  deployments.set(env, made);
  return made;
}

function deploy(env: Env): Deployment {
  const config = configFromEnvironment(env as unknown as Record<string, unknown>);
  // What can't be used is to be said by the first request, not by a coordinator that can't start.
  policyOf(config);
  const { locations } = config;
  const members = Array.from({ length: config.partitions }, (_, index) => {
    const location = locations[index % Math.max(1, locations.length)];
    return { name: `p${index}`, weight: 1, ...(location === undefined ? {} : { location }) };
  });
  const proposal = { shards: config.shards, members };
  // As with partitions, the stub's own type says the same in terms of RPC.
  const coordinator = () => env.COORDINATOR.getByName("coordinator") as unknown as CoordinatorRpc;
  const late = () => new EdgeverseError("UNAVAILABLE", "The coordinator did not answer in time");
  const cache = new LearnedMap(proposal, () => within(clock, MAP_WITHIN, coordinator().map(), late));
  const connect: Connect = (name) => {
    const location = cache.map.location(name) as LocationHint | undefined;
    const stub = env.PARTITION.getByName(name, location === undefined ? {} : { locationHint: location });
    // The stub's own type says the same in terms of RPC, with a disposer on every answer.
    return stub as unknown as PartitionClient;
  };
  return { config, proposal, cache, connect, coordinator, log: logOf(env, config) };
}

function logOf(env: Env, config: Config): CallLog | undefined {
  if (env.DATABASE_URL === undefined || env.DATABASE_URL === "") return undefined;
  return new PostgresCallLog({
    url: env.DATABASE_URL,
    endpoint: env.EDGEVERSE_SQL_ENDPOINT,
    timeoutMs: config.logTimeout,
  });
}
