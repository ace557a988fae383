import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Config,
  configFromEnvironment,
  configSchema,
  environmentName,
  OTHER_NAMES,
} from "../../src/config/config.ts";

const MiB = 1024 * 1024;

/** The defaults, written out a second time: a change of one is a change of behaviour for everybody. */
const DEFAULTS: Config = {
  shards: 8_192,
  partitions: 1,
  locations: [],
  callTimeout: 30_000,
  maxCallTimeout: 600_000,
  mailbox: 1_000,
  partitionMailbox: 10_000,
  maxState: MiB,
  maxValue: MiB,
  maxMessage: MiB,
  maxBody: 4 * MiB,
  addressHeader: "",
  idleTimeout: 60_000,
  maxObjects: 100_000,
  partitionMemory: 48 * MiB,
  isolateMemory: 64 * MiB,
  log: "postgres",
  retention: 30 * 86_400_000,
  logInterval: 250,
  logBacklog: 256 * MiB,
  outbox: 64 * MiB,
  events: 64 * MiB,
  gates: 1,
  gateClients: 10_000,
  clientConnections: 1_000,
  clientFrames: 1_000,
  pushResume: 120_000,
  pushLog: 64 * MiB,
  reminders: 256 * MiB,
  logTimeout: 5_000,
  rebalance: "count",
  rebalanceThreshold: 0.2,
  moves: 4,
  moveCooldown: 300_000,
  moveStall: 60_000,
  moveLimit: 3_600_000,
  stableFor: 10_000,
  placement: {},
  upkeepMessages: 800,
  maxAttempts: 16,
  maxCrashes: 3,
};

/** Every variable with a value that differs from the default, and what becomes of it. */
const VARIABLES: Record<keyof Config, [name: string, text: string, value: unknown]> = {
  shards: ["EDGEVERSE_SHARDS", "256", 256],
  partitions: ["EDGEVERSE_PARTITIONS", "4", 4],
  locations: ["EDGEVERSE_LOCATIONS", "weur,apac-ne", ["weur", "apac-ne"]],
  callTimeout: ["EDGEVERSE_CALL_TIMEOUT", "5s", 5_000],
  maxCallTimeout: ["EDGEVERSE_MAX_CALL_TIMEOUT", "1h", 3_600_000],
  mailbox: ["EDGEVERSE_MAILBOX", "7", 7],
  partitionMailbox: ["EDGEVERSE_PARTITION_MAILBOX", "70", 70],
  maxState: ["EDGEVERSE_MAX_STATE", "1000", 1_000],
  maxValue: ["EDGEVERSE_MAX_VALUE", "1001", 1_001],
  maxMessage: ["EDGEVERSE_MAX_MESSAGE", "1002", 1_002],
  maxBody: ["EDGEVERSE_MAX_BODY", "1003", 1_003],
  addressHeader: ["EDGEVERSE_ADDRESS_HEADER", "X-Real-IP", "X-Real-IP"],
  idleTimeout: ["EDGEVERSE_IDLE_TIMEOUT", "10m", 600_000],
  maxObjects: ["EDGEVERSE_MAX_OBJECTS", "50", 50],
  partitionMemory: ["EDGEVERSE_PARTITION_MEMORY", "5000", 5_000],
  isolateMemory: ["EDGEVERSE_ISOLATE_MEMORY", "6000", 6_000],
  log: ["EDGEVERSE_LOG", "local", "local"],
  retention: ["EDGEVERSE_RETENTION", "7d", 604_800_000],
  logInterval: ["EDGEVERSE_LOG_INTERVAL", "10ms", 10],
  logBacklog: ["EDGEVERSE_LOG_BACKLOG", "9", 9],
  outbox: ["EDGEVERSE_OUTBOX", "9", 9],
  events: ["EDGEVERSE_EVENTS", "9", 9],
  gates: ["EDGEVERSE_GATES", "4", 4],
  gateClients: ["EDGEVERSE_GATE_CLIENTS", "50", 50],
  clientConnections: ["EDGEVERSE_CLIENT_CONNECTIONS", "50", 50],
  clientFrames: ["EDGEVERSE_CLIENT_FRAMES", "50", 50],
  pushResume: ["EDGEVERSE_PUSH_RESUME", "30s", 30_000],
  pushLog: ["EDGEVERSE_PUSH_LOG", "1024", 1_024],
  reminders: ["EDGEVERSE_REMINDERS", "9", 9],
  logTimeout: ["EDGEVERSE_LOG_TIMEOUT", "1s", 1_000],
  rebalance: ["EDGEVERSE_REBALANCE", "load", "load"],
  rebalanceThreshold: ["EDGEVERSE_REBALANCE_THRESHOLD", "0.5", 0.5],
  moves: ["EDGEVERSE_MOVES", "2", 2],
  moveCooldown: ["EDGEVERSE_MOVE_COOLDOWN", "1m", 60_000],
  moveStall: ["EDGEVERSE_MOVE_STALL", "5s", 5_000],
  moveLimit: ["EDGEVERSE_MOVE_LIMIT", "2h", 7_200_000],
  stableFor: ["EDGEVERSE_STABLE_FOR", "1s", 1_000],
  placement: ["EDGEVERSE_PLACEMENT", '{"rules":[]}', { rules: [] }],
  upkeepMessages: ["EDGEVERSE_UPKEEP_MESSAGES", "100", 100],
  maxAttempts: ["EDGEVERSE_MAX_ATTEMPTS", "3", 3],
  maxCrashes: ["EDGEVERSE_MAX_CRASHES", "5", 5],
};
const KEYS = Object.keys(VARIABLES) as (keyof Config)[];

describe("configuration from the environment", () => {
  test("[CONF1] an empty environment gives the defaults", () => {
    expect(configFromEnvironment({})).toEqual(DEFAULTS);
    expect(Object.keys(configSchema.shape).sort()).toEqual([...KEYS].sort());
  });

  test.each(KEYS)("[CONF1] %s has a variable of its own", (key) => {
    const [name, text, value] = VARIABLES[key];
    expect(environmentName(key)).toBe(name);
    expect(configFromEnvironment({ [name]: text })).toEqual({ ...DEFAULTS, [key]: value });
  });

  test("[CONF1] all variables together", () => {
    const all = configFromEnvironment(Object.fromEntries(KEYS.map((key) => VARIABLES[key].slice(0, 2))));
    expect(all).toEqual(Object.fromEntries(KEYS.map((key) => [key, VARIABLES[key][2]])));
  });

  test("[CONF1] empty values and strangers are not settings; numbers of a JSON binding are", () => {
    const environment = { EDGEVERSE_SHARDS: "", EDGEVERSE_LOCATIONS: "", PATH: "/bin", SHARDS: "2", shards: "2" };
    expect(configFromEnvironment(environment)).toEqual(DEFAULTS);
    expect(configFromEnvironment({ EDGEVERSE_PARTITIONS: 5 }).partitions).toBe(5);
    expect(configFromEnvironment({ EDGEVERSE_PLACEMENT: { rules: [] } }).placement).toEqual({ rules: [] });
    expect(() => configFromEnvironment({ EDGEVERSE_PARTITIONS: { fetch: () => {} } })).toThrow(
      "EDGEVERSE_PARTITIONS: ",
    );
  });

  test.each([
    ["EDGEVERSE_PARTITONS", "; did you mean EDGEVERSE_PARTITIONS?"],
    ["EDGEVERSE_CALL_TIMEUOT", "; did you mean EDGEVERSE_CALL_TIMEOUT?"],
    ["EDGEVERSE_MAXIMUM_BODY", "; did you mean EDGEVERSE_MAX_BODY?"],
    ["EDGEVERSE_ADMINTOKEN", "; did you mean EDGEVERSE_ADMIN_TOKEN?"],
    ["EDGEVERSE_COLOUR_OF_THE_CURTAINS", ""],
    ["EDGEVERSE_", ""],
  ])("[CONF2] %s is not a setting%s", (name, hint) => {
    const reason = `Cannot use the configuration: ${name} is not a setting${hint}`;
    for (const value of ["1", "", { fetch: () => {} }])
      expect(() => configFromEnvironment({ [name]: value })).toThrow(new Error(reason));
  });

  test("[CONF2] what else is read from the environment is no stranger", () => {
    expect(configFromEnvironment(Object.fromEntries(OTHER_NAMES.map((name) => [name, "x"])))).toEqual(DEFAULTS);
  });

  const free: readonly string[] = ["addressHeader", "locations", "rebalanceThreshold"];
  test.each(KEYS.filter((key) => !free.includes(key)))("[CONF1] a bad value of %s names its variable", (key) => {
    const [name] = VARIABLES[key];
    for (const bad of ["x", "-1", "1.5", "1 2", "NaN", "Infinity", "99999999999999999999"]) {
      expect(() => configFromEnvironment({ [name]: bad }), bad).toThrow(`Cannot use the configuration: ${name}: `);
    }
  });

  test.each(["Weur", "weur,", ",weur", "weur enam", "weur;enam", "w1", "mars"])("[CONF1] bad locations: %j", (text) => {
    expect(() => configFromEnvironment({ EDGEVERSE_LOCATIONS: text })).toThrow("EDGEVERSE_LOCATIONS: must be");
  });

  test("[CONF1] every bad variable is named at once, and no good one", () => {
    const environment = {
      EDGEVERSE_SHARD: "8",
      EDGEVERSE_SHARDS: "1000",
      EDGEVERSE_CALL_TIMEOUT: "fast",
      EDGEVERSE_MAILBOX: "10",
    };
    expect(() => configFromEnvironment(environment)).toThrow(
      /^Cannot use the configuration: EDGEVERSE_SHARDS: must be a power of two; EDGEVERSE_CALL_TIMEOUT: must be a duration.*; EDGEVERSE_SHARD is not a setting; did you mean EDGEVERSE_SHARDS\?$/,
    );
    expect(() => configFromEnvironment(environment)).not.toThrow("MAILBOX");
  });

  test("[ID2] the shard count is a power of two up to 65,536, and nothing else", () => {
    for (let power = 0; power <= 16; power++) {
      expect(configFromEnvironment({ EDGEVERSE_SHARDS: String(2 ** power) }).shards).toBe(2 ** power);
    }
    const other = fc.integer({ min: -10, max: 200_000 }).filter((n) => n < 1 || n > 65_536 || !isPowerOfTwo(n));
    fc.assert(
      fc.property(other, (shards) => {
        expect(() => configFromEnvironment({ EDGEVERSE_SHARDS: String(shards) })).toThrow("EDGEVERSE_SHARDS: ");
      }),
    );
  });

  test.each([
    ["EDGEVERSE_PARTITIONS", 1_024],
    ["EDGEVERSE_MAX_STATE", 1_800_000],
    ["EDGEVERSE_MAX_VALUE", 1_800_000],
    ["EDGEVERSE_MAX_MESSAGE", 1_800_000],
    ["EDGEVERSE_MAX_BODY", 16 * MiB],
  ])("[TURN9] %s has a most and a least", (name, most) => {
    for (const fine of [1, most]) expect(() => configFromEnvironment({ [name]: String(fine) })).not.toThrow();
    for (const bad of [0, most + 1]) expect(() => configFromEnvironment({ [name]: String(bad) })).toThrow(name);
  });

  test("[CONF1] every setting says what it is", () => {
    for (const [key, setting] of Object.entries(configSchema.shape)) {
      expect(setting.description ?? "", key).toMatch(/^[A-Z]/);
    }
  });
});

function isPowerOfTwo(value: number): boolean {
  return Math.log2(value) % 1 === 0;
}
