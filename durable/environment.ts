import { type Config, configFromEnvironment, givenSettings } from "../src/config/config.ts";
import type { LocationHint } from "../src/config/location-hint.ts";
import type { KeyKeeper } from "../src/coordinator/api-keys.ts";
import type { CoordinatorAdmin } from "../src/coordinator/commands.ts";
import type { CoordinatorStatus } from "../src/coordinator/coordinator.ts";
import type { Bootstrapped } from "../src/coordinator/coordinator-options.ts";
import { policyOf } from "../src/coordinator/policy.ts";
import type { Revoker } from "../src/coordinator/revocations.ts";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";
import type { Registry } from "../src/object/registry.ts";
import type { LoadReport } from "../src/placement/load-report.ts";
import type { Genesis, MapDocument } from "../src/placement/shard-map.ts";
import { within } from "../src/platform/within.ts";
import { gateNames } from "../src/push/client-id.ts";
import type { Gates } from "../src/push/ports.ts";
import type { PresencePeers } from "../src/push/presence-note.ts";
import type { CallLog } from "../src/reliable/ports.ts";
import { LearnedMap } from "../src/router/map-cache.ts";
import type { Connect } from "../src/router/ports.ts";
import { LiveSettings } from "../src/settings/live-settings.ts";
import type { GateRpc } from "./gate-rpc.ts";
import { partitionStub } from "./partition-stub.ts";
import { clock } from "./platform.ts";
import { PostgresCallLog } from "./postgres-log.ts";
import type { PartitionRpc } from "./wire.ts";

/** The coordinator as partitions and the HTTP layer reach it by RPC. */
export interface CoordinatorRpc extends CoordinatorAdmin {
  bootstrap(proposal: Genesis): Promise<Bootstrapped>;
  map(): Promise<MapDocument | undefined>;
  status(): Promise<CoordinatorStatus>;
  report(report: LoadReport): Promise<void>;
  makeKey: KeyKeeper["make"];
  revokeKey: KeyKeeper["revoke"];
  listKeys: KeyKeeper["list"];
  findKey: KeyKeeper["find"];
  /** Goes on with what is under way. */
  wake(): Promise<void>;
}

/** A binding of Durable Objects, of whatever class the author's own types say. */
export interface ObjectNamespace {
  getByName(name: string, options?: { readonly locationHint?: LocationHint }): object;
}

/**
 * What a Worker must have in its `env` to host objects; settings, `EDGEVERSE_*`, stand beside it. An `Env` that
 * `wrangler types` made is one, and so is one that extends it.
 */
export interface Env {
  /** The class `Partition` of the host. */
  readonly PARTITION: ObjectNamespace;
  /** The class `Coordinator` of the host. */
  readonly COORDINATOR: ObjectNamespace;
  /** The class `Gate` of the host; without it no clients connect. */
  readonly GATE?: ObjectNamespace | undefined;
  /** Bearer token of the admin API; without one there is no admin API. */
  readonly EDGEVERSE_ADMIN_TOKEN?: string | undefined;
  /** The same for operators who may not change everything, and for those who only look. */
  readonly EDGEVERSE_OPERATOR_TOKEN?: string | undefined;
  readonly EDGEVERSE_VIEWER_TOKEN?: string | undefined;
  /** Postgres that holds the log of reliable calls; without it the log is local ([CALL14]). */
  readonly DATABASE_URL?: string | undefined;
  /** Where to send SQL instead of the host of `DATABASE_URL`: the local bridge. */
  readonly EDGEVERSE_SQL_ENDPOINT?: string | undefined;
}

/** What every part of a deployment derives from its environment, once an isolate. */
export interface Deployment {
  readonly config: Config;
  /** The settings of one process: what operators change in it. */
  readonly settings: (registry?: Registry) => LiveSettings;
  readonly proposal: Genesis;
  readonly cache: LearnedMap;
  readonly log: CallLog | undefined;
  readonly connect: Connect;
  /** Undefined without the binding. */
  readonly gates: (Gates & PresencePeers & Revoker) | undefined;
  /** A stub of the coordinator, made anew for every message. */
  readonly coordinator: () => CoordinatorRpc;
}

/** Ms a call may be held up by a look at the coordinator's map. */
const MAP_WITHIN = 500;

const deployments = new WeakMap<Env, Deployment>();

/** @throws Error when the environment lacks a binding or its settings can't be used; the message names them */
export function deploymentOf(env: Env): Deployment {
  const known = deployments.get(env);
  if (known !== undefined) return known;
  const made = deploy(env);
  deployments.set(env, made);
  return made;
}

function deploy(env: Env): Deployment {
  for (const name of ["PARTITION", "COORDINATOR"] as const) {
    // The types say that it is there; `wrangler.toml` may not.
    if (typeof (env as Partial<Env> | undefined)?.[name]?.getByName === "function") continue;
    throw new Error(
      `Cannot host objects: env has no Durable Object binding ${name}. Bind it in wrangler.toml: see docs/worker.md`,
    );
  }
  const config = configFromEnvironment(env as unknown as Record<string, unknown>);
  // What can't be used is to be said by the first request, not by a coordinator that can't start.
  policyOf(config);
  const { locations } = config;
  const members = Array.from({ length: config.partitions }, (_, index) => {
    const location = locations[index % Math.max(1, locations.length)];
    return { name: `p${index}`, weight: 1, ...(location === undefined ? {} : { location }) };
  });
  const proposal = { shards: config.shards, members };
  const coordinator = () => env.COORDINATOR.getByName("coordinator") as CoordinatorRpc;
  const late = () => new EdgeverseError("UNAVAILABLE", "The coordinator did not answer in time");
  const cache = new LearnedMap(proposal, () => within(clock, MAP_WITHIN, coordinator().map(), late));
  const connect: Connect = (name) => {
    const location = cache.map.location(name) as LocationHint | undefined;
    const stub = env.PARTITION.getByName(name, location === undefined ? undefined : { locationHint: location });
    return partitionStub(stub as PartitionRpc);
  };
  const given = givenSettings(env as unknown as Record<string, unknown>);
  const settings = (registry?: Registry) =>
    new LiveSettings({ config, given, ...(registry === undefined ? {} : { registry }) });
  const gates = gatesOf(env, config);
  return { config, settings, proposal, cache, connect, gates, coordinator, log: logOf(env, config) };
}

function gatesOf({ GATE }: Env, config: Config): Deployment["gates"] {
  if (GATE === undefined) return undefined;
  const stub = (gate: string) => GATE.getByName(gate) as GateRpc;
  return {
    names: gateNames(config.gates),
    deliver: (gate, messages) => stub(gate).deliver(messages),
    configure: (gate, offer) => stub(gate).configure(offer),
    revoke: (gate, credentials) => stub(gate).revoke(credentials),
    live: (gate, from, changes) => stub(gate).live(from, changes),
    presence: (gate, message) => stub(gate).presence(message),
  };
}

function logOf(env: Env, config: Config): CallLog | undefined {
  if (config.log === "local" || env.DATABASE_URL === undefined || env.DATABASE_URL === "") return undefined;
  return new PostgresCallLog({
    url: env.DATABASE_URL,
    endpoint: env.EDGEVERSE_SQL_ENDPOINT,
    timeoutMs: config.logTimeout,
  });
}
