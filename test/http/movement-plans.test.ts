import { describe, expect, it } from "vitest";
import { codeOf, httpFixture } from "./http-fixture.ts";
import { json, send, settle } from "./movement-fixture.ts";

describe("plans", () => {
  it("[PLAN3] a dry run shows the plan with its reasons and changes nothing", async () => {
    const http = httpFixture();
    const plan = await json<{ dryRun: boolean; moves: unknown[]; skipped: { reason: string }[] }>(
      send(http, "POST", "rebalance", { dryRun: true }),
    );
    expect(plan.dryRun).toBe(true);
    expect(plan.moves.length > 0 || plan.skipped.length > 0).toBe(true);
    expect((await json<{ moves: unknown[] }>(http.admin("moves"))).moves).toEqual([]);
    expect((await json<{ entries: unknown[] }>(http.admin("audit"))).entries).toEqual([]);
  });

  it("[PLAN3] [HTTP11] the plan of a dry run comes in pages, until it changes", async () => {
    const http = httpFixture({ shards: 64 });
    type Page = { total: number; moves: { shard: number }[]; cursor?: string };
    const page = (body: object) => json<Page>(send(http, "POST", "partitions/p1/drain", { dryRun: true, ...body }));
    const whole = await page({});
    expect(whole.total).toBe(whole.moves.length);
    expect(whole.total).toBeGreaterThan(20);
    expect(whole).not.toHaveProperty("cursor");
    const seen: object[] = [];
    for (let next: Page | undefined = await page({ limit: 9 }); next !== undefined; ) {
      expect(next.total).toBe(whole.total);
      seen.push(...next.moves);
      next = next.cursor === undefined ? undefined : await page({ limit: 9, cursor: next.cursor });
    }
    expect(seen).toEqual(whole.moves);
    const { cursor } = await page({ limit: 1 });
    await send(http, "POST", "shards/3/pin", { partition: "p1" });
    await settle(http);
    const late = await send(http, "POST", "partitions/p1/drain", { dryRun: true, cursor });
    expect(await codeOf(late)).toBe("CONFLICT");
  });

  it.each([
    { limit: 5 },
    { cursor: "x" },
    { dryRun: true, limit: 0 },
    { dryRun: true, limit: 1_001 },
    { dryRun: true, cursor: "x" },
  ])("[HTTP11] no page %j of a plan", async (body) => {
    for (const path of ["rebalance", "partitions/p1/drain", "partitions/p1/cordon"]) {
      expect(await codeOf(await send(httpFixture(), "POST", path, body))).toBe("INVALID_ARGUMENT");
    }
  });

  it("[PLAN3] decisions are kept, also that there is nothing to do and why", async () => {
    const http = httpFixture();
    await send(http, "POST", "rebalance", {});
    await settle(http);
    const { decisions, decisionCounts } = await json<{
      decisions: { trigger: string }[];
      decisionCounts: Record<string, number>;
    }>(http.admin("moves"));
    expect(decisions.some(({ trigger }) => trigger === "operator")).toBe(true);
    expect(Object.values(decisionCounts).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
    expect(await codeOf(await send(http, "POST", "rebalance", { strategy: "luck" }))).toBe("INVALID_ARGUMENT");
  });
});

describe("the shard count", () => {
  it("[SPLIT1] doubles and halves, with a dry run before and progress meanwhile", async () => {
    const http = httpFixture();
    const dry = await send(http, "POST", "shard-count", { count: 32, dryRun: true });
    expect([dry.status, await dry.json()]).toMatchObject([
      200,
      { shards: 16, target: 32, dryRun: true, partitionsLeft: 2 },
    ]);
    const begun = await send(http, "POST", "shard-count", { count: 32 });
    expect([begun.status, await begun.json()]).toMatchObject([202, { shards: 16, target: 32 }]);
    expect(await codeOf(await send(http, "POST", "shard-count", { count: 64 }))).toBe("CONFLICT");
    expect(await codeOf(await send(http, "POST", "partitions", { name: "p7" }))).toBe("CONFLICT");
    await settle(http);
    expect(await json(http.admin("shard-count"))).toMatchObject({ shards: 32, target: null, phase: null });
    expect((await json<{ shards: unknown[] }>(http.admin("shards"))).shards).toHaveLength(32);
    await send(http, "POST", "shard-count", { count: 8 });
    await settle(http);
    expect(await json(http.admin("shard-count"))).toMatchObject({ shards: 8, target: null });
  });

  it.each([0, 3, 1.5, 131_072, "8", null])("[SPLIT1] can't be %s", async (count) => {
    expect(await codeOf(await send(httpFixture(), "POST", "shard-count", { count }))).toBe("INVALID_ARGUMENT");
  });
});

describe("every change", () => {
  it("leaves a row in the audit, refused ones too", async () => {
    const http = httpFixture();
    await send(http, "POST", "partitions", { name: "p2" });
    await send(http, "POST", "partitions", { name: "p2" });
    const { entries } = await json<{ entries: object[] }>(http.admin("audit"));
    expect(entries).toMatchObject([
      { command: "add-partition", actor: "admin token a81e611a", outcome: "CONFLICT", details: { name: "p2" } },
      { command: "add-partition", actor: "admin token a81e611a", outcome: "done", details: { name: "p2" } },
    ]);
    const first = await json<{ entries: object[]; cursor: string }>(http.admin("audit?limit=1"));
    expect(await json(http.admin(`audit?limit=1&cursor=${first.cursor}`))).toMatchObject({
      entries: [{ outcome: "done" }],
    });
  });

  it("[ACC3] needs the token, and a coordinator that answers", async () => {
    const away = () => Promise.reject(new Error("gone"));
    const coordinator = {
      status: away,
      map: away,
      execute: away,
      auditCall: away,
      view: away,
      notes: away,
      moves: away,
      audit: away,
      keys: { make: away, revoke: away, list: away, find: away },
      settings: away,
      settingsVersions: away,
      newerSettings: away,
    };
    const http = httpFixture({ coordinator });
    const routes: [string, string, unknown?][] = [
      ["POST", "partitions", { name: "p2" }],
      ["PATCH", "partitions/p0", { weight: 2 }],
      ["DELETE", "partitions/p0"],
      ["POST", "partitions/p0/drain"],
      ["POST", "partitions/p0/cordon"],
      ["POST", "partitions/p0/uncordon"],
      ["POST", "shards/1/move", { partition: "p1" }],
      ["POST", "shards/1/pin", {}],
      ["POST", "shards/1/unpin"],
      ["POST", "rebalance", {}],
      ["POST", "shard-count", { count: 32 }],
      ["GET", "shard-count"],
      ["GET", "migrations"],
      ["GET", "audit"],
      ["GET", "keys"],
      ["POST", "keys", { identity: { id: "a", roles: [] } }],
      ["DELETE", "keys/0f3a9c21b7de"],
    ];
    for (const [method, path, body] of routes) {
      expect(await codeOf(await send(http, method, path, body)), `${method} ${path}`).toBe("UNAVAILABLE");
      const bare = await http.fetch(`/admin/v1/${path}`, { method });
      expect(await codeOf(bare), `${method} ${path}`).toBe("UNAUTHENTICATED");
    }
    expect((await http.admin("shards/3")).status).toBe(200);
    expect((await http.admin("partitions")).status).toBe(200);
    expect((await http.admin("cluster")).status).toBe(200);
  });
});
