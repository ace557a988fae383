import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Journal } from "../../examples/journal.ts";

describe("Journal", () => {
  test("entries are numbered 0, 1, 2, … without a gap, however they come", async () => {
    const cluster = new TestCluster({ objects: [Journal] });
    const numbers = await Promise.all(
      Array.from({ length: 60 }, (_, entry) => cluster.object(Journal, "j").append({ entry })),
    );
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, number) => ({ number })));
    expect(await cluster.object(Journal, "j").list()).toEqual({
      entries: Array.from({ length: 60 }, (_, entry) => entry),
      length: 60,
    });
  });

  test("an entry that was refused or lost leaves no gap", async () => {
    const cluster = new TestCluster({ objects: [Journal], config: { maxValue: 100 } });
    await cluster.object(Journal, "j").append({ entry: "first" });
    await expect(cluster.object(Journal, "j").append({ entry: "x".repeat(200) })).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
    cluster.storage("p0").failing = new Error("disk full");
    await expect(cluster.object(Journal, "j").append({ entry: "lost" })).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    cluster.storage("p0").failing = undefined;
    cluster.crash("p0");
    expect(await cluster.object(Journal, "j").append({ entry: "second" })).toEqual({ number: 1 });
    expect(await cluster.object(Journal, "j").list()).toEqual({ entries: ["first", "second"], length: 2 });
  });

  test("a page begins where it is asked to, in order also beyond ten, and is bounded", async () => {
    const cluster = new TestCluster({ objects: [Journal] });
    for (let entry = 0; entry < 25; entry++) await cluster.object(Journal, "j").append({ entry: { n: entry } });
    const page = (from: number, limit: number) => cluster.object(Journal, "j").list({ from, limit });
    expect(await page(8, 4)).toEqual({ entries: [8, 9, 10, 11].map((n) => ({ n })), length: 25 });
    expect(await page(24, 10)).toEqual({ entries: [{ n: 24 }], length: 25 });
    expect(await page(25, 10)).toEqual({ entries: [], length: 25 });
    for (const bad of [{ from: -1 }, { limit: 0 }, { limit: 1_001 }]) {
      await expect(cluster.object(Journal, "j").list(bad)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  test("journals are apart, and one that was deleted begins again", async () => {
    const cluster = new TestCluster({ objects: [Journal] });
    for (const id of ["a", "b"]) await cluster.object(Journal, id).append({ entry: id });
    await cluster.delete(Journal, "a");
    expect(await cluster.object(Journal, "a").append({ entry: "again" })).toEqual({ number: 0 });
    expect(await cluster.object(Journal, "a").list()).toEqual({ entries: ["again"], length: 1 });
    expect(await cluster.object(Journal, "b").list()).toEqual({ entries: ["b"], length: 1 });
  });
});
