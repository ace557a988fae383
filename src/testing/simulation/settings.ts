import { type Config, configSchema } from "../../config/config.ts";
import type { Random } from "./random.ts";
import type { Weather } from "./sim-network.ts";
import type { Durability } from "./sim-storage.ts";

/** What a seed makes of the world before anything happens in it. */
export interface Settings {
  readonly config: Config;
  readonly partitions: number;
  /** Names of partitions that may be added later. */
  readonly spare: readonly string[];
  readonly objects: readonly string[];
  readonly durability: Durability;
  readonly weather: Weather;
  /** Ms of the objects' hooks; 0: they have none. */
  readonly hooks: number;
  /** Most ms that a process's clock is off. */
  readonly skew: number;
  readonly withLog: boolean;
  /** Ms during which things happen. */
  readonly duration: number;
  readonly calls: number;
  readonly operations: number;
}

const OBJECTS = ["a", "b", "c", "d", "e", "f"];

export function settingsOf(random: Random): Settings {
  const partitions = 2 + random.int(2);
  const rough = random.chance(0.6);
  const config = configSchema.parse({
    partitions,
    shards: random.pick([2, 4, 8]),
    rebalance: random.pick(["off", "count", "count", "load"]),
    callTimeout: "3s",
    moveStall: random.pick(["2s", "6s"]),
    moveLimit: "20s",
    moveCooldown: "500ms",
    stableFor: "300ms",
    moves: random.pick([1, 4]),
    ...(random.chance(0.2) ? { maxObjects: 2, idleTimeout: "200ms" } : {}),
    ...(random.chance(0.1) ? { mailbox: 4, partitionMailbox: 8 } : {}),
  });
  return {
    config,
    partitions,
    spare: ["q0", "q1"],
    objects: OBJECTS.slice(0, 3 + random.int(4)),
    durability: random.chance(0.5) ? "gate" : "barrier",
    weather: rough
      ? {
          lost: random.pick([0, 0.01, 0.05]),
          late: random.pick([0, 0.5]),
          twice: random.pick([0, 0.05, 0.2]),
          delay: random.pick([1, 5, 30]),
        }
      : { lost: 0, late: 0, twice: 0, delay: 1 },
    hooks: random.chance(0.15) ? 20 : 0,
    skew: random.pick([0, 5, 60]),
    withLog: random.chance(0.85),
    duration: random.pick([1_500, 4_000, 8_000]),
    calls: 20 + random.int(40),
    operations: random.int(16),
  };
}
