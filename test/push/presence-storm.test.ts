import { afterEach, describe, expect, test, vi } from "vitest";
import { PresencePost } from "../../src/push/presence-post.ts";
import { PresenceReports } from "../../src/push/presence-reports.ts";
import { PresenceTable } from "../../src/push/presence-table.ts";
import { PresenceViews } from "../../src/push/presence-views.ts";
import { presenceStorm } from "./presence-storm-fixture.ts";

afterEach(() => vi.restoreAllMocks());

/** What goes wrong under the first seed that finds anything. */
async function found(seeds: number): Promise<string | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await presenceStorm(seed);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

describe("who takes part, under kills, cuts and lost messages", () => {
  test.each(Array.from({ length: 10 }, (_, index) => index + 1))(
    "[PUSH13] when all has been quiet everybody knows exactly who is there: seed %i",
    async (seed) => {
      await presenceStorm(seed);
    },
  );

  test("what a gate forgets to tell that ends meanwhile is found", async () => {
    vi.spyOn(PresencePost.prototype, "restore").mockImplementation(() => {});
    expect(await found(40)).toMatch(/where are|came before/);
  });

  test("clients that stay when their gate was killed are found", async () => {
    vi.spyOn(PresenceTable.prototype, "othersAway").mockImplementation(() => {});
    expect(await found(40)).toMatch(/where are/);
  });

  test("clients that stay when they lose their connection are found", async () => {
    vi.spyOn(PresenceTable.prototype, "away").mockImplementation(() => {});
    expect(await found(40)).toMatch(/where are/);
  });

  test("a report that counts though it is old is found", async () => {
    const { keep } = PresenceReports.prototype;
    let newest = 2 ** 50;
    vi.spyOn(PresenceReports.prototype, "keep").mockImplementation(function (this: PresenceReports, gate, note, now) {
      return keep.call(this, gate, { ...note, version: newest++ }, now);
    });
    expect(await found(40)).toMatch(/where are/);
  });

  test("a view that counts though it is old is found", async () => {
    const { took } = PresenceViews.prototype;
    let newest = 2 ** 50;
    vi.spyOn(PresenceViews.prototype, "took").mockImplementation(function (this: PresenceViews, note) {
      return took.call(this, { ...note, version: newest++ });
    });
    expect(await found(40)).toMatch(/where are/);
  });
});
