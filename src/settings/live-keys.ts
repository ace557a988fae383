import type { Config } from "../config/config.ts";

/** Settings that an operator may change while the host runs: each process reads them when it needs them. */
export const LIVE_KEYS = [
  "callTimeout",
  "maxCallTimeout",
  "mailbox",
  "partitionMailbox",
  "maxState",
  "maxValue",
  "maxMessage",
  "maxBody",
  "idleTimeout",
  "maxObjects",
  "partitionMemory",
  "logInterval",
  "logBacklog",
  "outbox",
  "gateClients",
  "clientConnections",
  "clientFrames",
  "pushResume",
  "pushLog",
  "reminders",
  "events",
  "rebalance",
  "rebalanceThreshold",
  "moves",
  "moveCooldown",
  "moveStall",
  "moveLimit",
  "stableFor",
  "placement",
  "upkeepMessages",
  "maxAttempts",
  "maxCrashes",
] as const satisfies readonly (keyof Config)[];

export type LiveKey = (typeof LIVE_KEYS)[number];

/** Why the others may not. */
export const FIXED: Readonly<Record<Exclude<keyof Config, LiveKey>, string>> = {
  shards: "it is of a new cluster; change the shard count instead",
  partitions: "it is of a new cluster; add partitions instead",
  locations: "it is of a new cluster",
  isolateMemory: "it is of the machine that runs the Worker",
  log: "calls would be in two logs",
  retention:
    "a call could run twice: marks could be removed by a shorter one while a partition still takes calls by the longer one",
  addressHeader: "it is of what stands in front of the host",
  gates: "clients come back to the gate that has their session",
  logTimeout: "it is of the connection to Postgres",
};
