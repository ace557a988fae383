import { expect, test } from "vitest";
import { sharedMemory } from "../../durable/shared-memory.ts";
import { configFromEnvironment } from "../../src/config/config.ts";
import { MemoryBudget } from "../../src/partition/turns/memory-budget.ts";

const MiB = 1024 * 1024;
const config = configFromEnvironment({});

test("[TURN8] partitions of one isolate have an equal part of its memory each, and no more than their own", () => {
  // Held to the end, as the platform holds its Durable Objects.
  const partitions = [{}, {}, {}, {}];
  const [first, ...others] = partitions.map((partition, n) => {
    const memory = sharedMemory(`${n}`, partition, config);
    return { memory, alone: memory() };
  });
  expect(first?.alone).toBe(48 * MiB);
  expect(others.map(({ alone }) => alone)).toEqual([32 * MiB, (64 / 3) * MiB, 16 * MiB]);
  expect(first?.memory()).toBe(16 * MiB);
  // One that the platform has made anew is no further one.
  const again = {};
  expect(sharedMemory("0", again, config)()).toBe(16 * MiB);
  expect([...partitions, again]).toHaveLength(5);
});

test("[TURN8] what is held stays when the limit shrinks; nothing more is taken until there is room", () => {
  let limit = 4 * MiB;
  const memory = new MemoryBudget(() => limit);
  memory.hold(2 * MiB);
  limit = 2 * MiB;
  expect(memory.room).toBe(0);
  expect(() => memory.hold(1)).toThrowError(expect.objectContaining({ code: "OVERLOADED" }));
  memory.free(2 * MiB);
  memory.hold(1.5 * MiB);
  expect(memory.room).toBe(0.5 * MiB);
});
