import { type Config, configSchema } from "../../config/config.ts";
import type { PushSettings } from "./push/push-settings.ts";
import type { Random } from "./random.ts";
import type { Weather } from "./sim-network.ts";
import type { Durability } from "./sim-storage.ts";

/** What a seed makes of the world before anything happens in it. */
export interface Settings {
  readonly focus: Focus;
  readonly config: Config;
  /** Whether calls that fail by their nature are parked soon: only then there are reliable ones. */
  readonly parks: boolean;
  /** Whether an author's objects are called as well: what those store is not the simulation's to count. */
  readonly authors: boolean;
  /** Gates and their clients, in the seeds that have some. */
  readonly push: PushSettings | undefined;
  readonly partitions: number;
  /** Names of partitions that may be added later. */
  readonly spare: readonly string[];
  readonly objects: readonly string[];
  readonly durability: Durability;
  readonly weather: Weather;
  /** Ms of the objects' hooks; 0: they have none. */
  readonly hooks: number;
  /** How likely a timer is late, and a write takes long to be durable. */
  readonly slowness: number;
  /** Most ms that a process's clock is off. */
  readonly skew: number;
  readonly withLog: boolean;
  /** Ms during which things happen. */
  readonly duration: number;
  readonly calls: number;
  readonly operations: number;
}

const OBJECTS = ["a", "b", "c", "d", "e", "f"];

/**
 * What a seed is about. Chance spread over everything seldom brings together what one bug needs; a seed that leaves much out
 * has more of the rest (swarm testing: Groce et al., ISSTA 2012).
 *
 * | focus | few                           | many                                                              |
 * |-------|-------------------------------|-------------------------------------------------------------------|
 * | all   |                               |                                                                   |
 * | moves | objects, shards, partitions   | moves there and back, messages of theirs that are lost or late, ends of processes |
 * | disks | moves                         | commits that fail or are lost                                     |
 */
export type Focus = "all" | "moves" | "disks";

/** @param authors whether it is a run of an author's workload: no call of it is to be parked for ends of the process */
export function settingsOf(random: Random, authors: boolean, push: PushSettings | undefined): Settings {
  const focus = random.weighted<Focus>({ all: 3, moves: 5, disks: 2 });
  const moves = focus === "moves";
  const partitions = moves ? 2 : 2 + random.int(2);
  const rough = random.chance(0.6);
  const parks = focus === "disks" && push === undefined;
  const config = configSchema.parse({
    partitions,
    shards: moves ? random.pick([1, 2]) : random.pick([2, 4, 8]),
    rebalance: moves ? "off" : random.pick(["off", "count", "count", "load"]),
    callTimeout: "3s",
    moveStall: moves ? random.pick(["200ms", "2s"]) : random.pick(["2s", "6s"]),
    moveLimit: moves ? random.pick(["300ms", "1s", "20s"]) : "20s",
    moveCooldown: moves ? "1ms" : "500ms",
    stableFor: "300ms",
    moves: random.pick([1, 4]),
    maxCrashes: parks ? 2 : 1_000,
    ...(random.chance(0.2) ? { maxObjects: 2, idleTimeout: "200ms" } : {}),
    ...(random.chance(0.1) ? { mailbox: 4, partitionMailbox: 8 } : {}),
    ...push?.config,
  });
  const listening = push !== undefined && push.listeners.length > 0;
  return {
    focus,
    config,
    parks,
    authors,
    push,
    partitions,
    spare: ["q0", "q1"],
    objects: OBJECTS.slice(0, moves ? 1 + random.int(3) : 3 + random.int(4)),
    durability: random.chance(0.5) ? "gate" : "barrier",
    weather: rough
      ? {
          lost: random.pick([0, 0.01, 0.05]),
          late: random.pick([0, 0.5]),
          twice: random.pick([0, 0.05, 0.2]),
          delay: random.pick([1, 5, 30]),
        }
      : { lost: 0, late: 0, twice: 0, delay: 1 },
    hooks: random.chance(0.15) ? random.pick([20, 20, 400]) : 0,
    slowness: random.pick([0.04, 0.04, 0.3]),
    skew: random.pick([0, 5, 60]),
    withLog: random.chance(moves ? 0.4 : 0.85),
    duration: moves ? random.pick([1_500, 4_000]) : random.pick([1_500, 4_000, 8_000]),
    // Where clients listen, objects have those as well.
    calls: Math.ceil((moves ? 8 + random.int(30) : 20 + random.int(40)) * (listening ? 0.3 : 1)),
    operations: moves ? 8 + random.int(24) : random.int(16),
  };
}
