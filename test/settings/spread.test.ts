import { describe, expect, test } from "vitest";
import { SettingsDesk } from "../../src/coordinator/settings-desk.ts";
import { SettingsSpread } from "../../src/coordinator/settings-spread.ts";
import { PartitionSettings } from "../../src/partition/partition-settings.ts";
import { KeptSettings } from "../../src/settings/kept-settings.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { SettingsFollower } from "../../src/settings/settings-follower.ts";
import { instead, type Plant } from "../simulation/plant.ts";
import { spreadStory } from "./spread-world.ts";

const SEEDS = 25;

/** Puts another getter in place until undone. */
function getter<Class extends object>(target: Class, name: keyof Class, get: () => unknown): Plant {
  return () => {
    const real = Object.getOwnPropertyDescriptor(target, name) as PropertyDescriptor;
    Object.defineProperty(target, name, { configurable: true, get });
    return () => {
      Object.defineProperty(target, name, real);
    };
  };
}

/** Bugs that one could make, and within how many seeds each must be found. */
const BUGS: Readonly<Record<string, readonly [Plant, within: number]>> = {
  "others hear of a version before it is durable": [
    instead(
      SettingsDesk.prototype,
      "settle",
      () =>
        async function (this: SettingsDesk) {
          return this.newest;
        },
    ),
    SEEDS,
  ],
  "a partition forgets the settings with its process": [
    instead(KeptSettings.prototype, "restore", () => () => {}),
    SEEDS,
  ],
  "an older version is kept when it comes late": [getter(LiveSettings.prototype, "seen", () => 0), SEEDS],
  "nobody goes on after the coordinator's process has ended": [
    getter(SettingsSpread.prototype, "due", () => undefined),
    SEEDS,
  ],
  "a router takes every answer for a sign that there is nothing newer": [
    instead(
      SettingsFollower.prototype,
      "answered",
      (real) =>
        function (this: SettingsFollower) {
          real.call(this, undefined);
        },
    ),
    SEEDS,
  ],
  "what comes before a partition belongs to a cluster is confirmed and dropped": [
    instead(
      PartitionSettings.prototype,
      "join",
      () =>
        function (this: PartitionSettings) {
          this.start();
        },
    ),
    SEEDS,
  ],
};

async function firstFault(seeds: number): Promise<string | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    const [fault] = await spreadStory(seed);
    if (fault !== undefined) return `seed ${seed}: ${fault}`;
  }
  return undefined;
}

describe("[CONF4] settings in a simulated cluster", () => {
  test("reach every process within 5 s of quiet, whatever happened before", async () => {
    expect(await firstFault(SEEDS)).toBeUndefined();
  });

  for (const [bug, [plant, within]] of Object.entries(BUGS))
    test(`a bug is found: ${bug}`, async () => {
      const remove = plant();
      try {
        expect(await firstFault(within)).toBeDefined();
      } finally {
        remove();
      }
    });
});
