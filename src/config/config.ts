import * as z from "zod";
import { MAX_SHARDS } from "../identity/object-id.ts";
import { parseDuration } from "./duration.ts";
import { isLocationHint, LOCATION_HINTS, type LocationHint } from "./location-hint.ts";
import { nearestName } from "./nearest-name.ts";

const MiB = 1024 * 1024;

const count = (fallback: number, most: number, about: string) =>
  z.coerce.number().int().min(1).max(most).default(fallback).describe(about);

const duration = (fallback: string, about: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const parsed = parseDuration(text);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: "custom", message: 'must be a duration like "250ms", "30s", "5m", "12h" or "30d"' });
      return z.NEVER;
    })
    .describe(about);

/** As JSON text, or as the table that `[vars]` of `wrangler.toml` may hold. */
const jsonObject = z
  .unknown()
  .default("{}")
  .transform((given, context) => {
    try {
      const value: unknown = typeof given === "string" ? JSON.parse(given) : given;
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch {
      // Said below.
    }
    context.addIssue({ code: "custom", message: "must be a JSON object" });
    return z.NEVER;
  });

const locationHints = z
  .string()
  .default("")
  .transform((text, context): LocationHint[] => {
    const hints = text === "" ? [] : text.split(",");
    if (hints.every(isLocationHint)) return hints;
    const message = `must be location hints such as "weur,enam", of ${LOCATION_HINTS.join(", ")}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

/**
 * Every setting of a cluster. The environment variable of `callTimeout` is `EDGEVERSE_CALL_TIMEOUT`, and so on.
 * Durations are texts outside and milliseconds inside; sizes are bytes.
 */
export const configSchema = z.object({
  shards: count(8_192, MAX_SHARDS, "Shards of a new cluster: a power of two").refine(
    (value) => (value & (value - 1)) === 0,
    "must be a power of two",
  ),
  partitions: count(1, 1_024, "Partitions of a new cluster, named p0, p1, …"),
  locations: locationHints.describe("Location hints of a new cluster's partitions, dealt out in turn"),
  callTimeout: duration("30s", "Deadline of a call that brings none"),
  maxCallTimeout: duration("10m", "The latest deadline a client may ask for"),
  mailbox: count(1_000, 1_000_000, "Turns that may wait for one object"),
  partitionMailbox: count(10_000, 1_000_000, "Turns that may wait in one partition"),
  maxState: count(MiB, 1_800_000, "Bytes of JSON of one object's state"),
  maxValue: count(MiB, 1_800_000, "Bytes of JSON of one value in an object's store"),
  maxMessage: count(MiB, 1_800_000, "Bytes of JSON of one request or response"),
  maxBody: count(4 * MiB, 16 * MiB, "Bytes of one HTTP body; a batch may hold many requests"),
  addressHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]{0,64}$/, "must be the name of a header")
    .default("")
    .describe("Header in which a proxy in front says the client's address; only for one that always sets it"),
  idleTimeout: duration("60s", "How long an unused object stays in memory"),
  maxObjects: count(100_000, 10_000_000, "Objects one partition keeps in memory"),
  partitionMemory: count(48 * MiB, 1_024 * MiB, "Estimated bytes of memory for one partition's objects and calls"),
  isolateMemory: count(64 * MiB, 4_096 * MiB, "The same for all partitions of one isolate, which share it equally"),
  log: z
    .enum(["postgres", "local"])
    .default("postgres")
    .describe("Where the log of reliable calls is: in Postgres, if there is a DATABASE_URL, or with the objects"),
  retention: duration("30d", "How long finished calls and their marks are kept"),
  logInterval: duration("250ms", "How long outcomes gather before a batch goes to Postgres"),
  logBacklog: count(
    256 * MiB,
    4_096 * MiB,
    "Bytes of pending calls and of outcomes Postgres has not seen, in one partition",
  ),
  outbox: count(64 * MiB, 4_096 * MiB, "Bytes of calls that objects of one partition have sent and not delivered"),
  gates: count(1, 256, "Gates that hold clients' connections, named g0, g1, …"),
  gateClients: count(10_000, 30_000, "Clients of one gate, connected or away"),
  clientConnections: count(
    1_000,
    30_000,
    "Connections to one gate that a client may have: an identity, else an address",
  ),
  clientFrames: count(
    1_000,
    1_000_000,
    "Frames that a client may send over its connection per second, a while four times as many",
  ),
  pushResume: duration("2m", "How long a client that lost its connection may take to come back to its session"),
  pushLog: count(64 * MiB, 4_096 * MiB, "Bytes of the messages that one gate keeps for clients to come back to"),
  reminders: count(256 * MiB, 4_096 * MiB, "Bytes of the reminders that objects of one partition have set"),
  events: count(64 * MiB, 4_096 * MiB, "Bytes of events of one partition that one sink has yet to get"),
  logTimeout: duration("5s", "How long one statement to Postgres may take"),
  rebalance: z.enum(["off", "count", "load"]).default("count").describe("What shards are balanced by"),
  rebalanceThreshold: z.coerce
    .number()
    .min(0.01)
    .max(10)
    .default(0.2)
    .describe("Share of the ideal that partitions may differ by before shards move"),
  moves: count(4, 256, "Shards that may move at once"),
  moveCooldown: duration("5m", "How long a shard stays where it was moved to, unless it must not"),
  moveStall: duration("60s", "How long a move may make no progress before it is undone"),
  moveLimit: duration("1h", "How long a move may take before it is undone"),
  stableFor: duration("10s", "How long membership must not have changed before shards are balanced"),
  placement: jsonObject.describe(
    'Placement rules and maintenance windows as JSON: {"rules": [{"type": …, "on": …}], "windows": [{"from": "02:00", "to": "04:00"}]}',
  ),
  upkeepMessages: count(800, 9_000, "Statements and messages one run of the reconciler or of a cleanup may take"),
  maxAttempts: count(16, 1_000, "Starts of a reliable call before it is failed for good"),
  maxCrashes: count(3, 1_000, "Ends of the process, or refused commits, in a row before a reliable call is parked"),
});

export type Config = z.infer<typeof configSchema>;

const KEYS = Object.keys(configSchema.shape) as (keyof Config)[];
const PREFIX = "EDGEVERSE_";

/** `callTimeout` → `EDGEVERSE_CALL_TIMEOUT`. */
export function environmentName(key: string): string {
  return `${PREFIX}${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Names that begin with `EDGEVERSE_` and are no part of {@link Config}: bindings of the worker, and what the local host is told. */
export const OTHER_NAMES = [
  "EDGEVERSE_ADMIN_TOKEN",
  "EDGEVERSE_OPERATOR_TOKEN",
  "EDGEVERSE_VIEWER_TOKEN",
  "EDGEVERSE_SQL_ENDPOINT",
  "EDGEVERSE_DATA",
  "EDGEVERSE_HEAP",
] as const;

const KNOWN: ReadonlySet<string> = new Set([...KEYS.map(environmentName), ...OTHER_NAMES]);

/** Settings that an environment has variables of. */
export function givenSettings(environment: Readonly<Record<string, unknown>>): (keyof Config)[] {
  return KEYS.filter((key) => {
    const value = environment[environmentName(key)];
    return value !== undefined && value !== "";
  });
}

/**
 * Reads the configuration from `EDGEVERSE_*` variables over the defaults.
 * @throws Error naming every variable that can't be used and why, and every one that is not a setting
 */
export function configFromEnvironment(environment: Readonly<Record<string, unknown>>): Config {
  const given: Record<string, unknown> = {};
  for (const key of givenSettings(environment)) given[key] = environment[environmentName(key)];
  const parsed = configSchema.safeParse(given);
  const unknown = Object.keys(environment).filter((name) => name.startsWith(PREFIX) && !KNOWN.has(name));
  if (parsed.success && unknown.length === 0) return parsed.data;
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${environmentName(String(issue.path[0]))}: ${issue.message}`),
    ...unknown.map(notASetting),
  ];
  throw new Error(`Cannot use the configuration: ${problems.join("; ")}`);
}

function notASetting(name: string): string {
  const nearest = nearestName(name, KNOWN);
  return `${name} is not a setting${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}
