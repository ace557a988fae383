import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/config.ts";
import { BEARER, codeOf, type HttpFixture, httpFixture } from "./http-fixture.ts";

const send = (http: HttpFixture, method: string, path: string, body?: unknown) =>
  http.fetch(`/admin/v1/${path}`, {
    method,
    headers: BEARER,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
const json = async <T = Record<string, unknown>>(response: Promise<Response>) => (await (await response).json()) as T;

/** Lets the coordinator work. */
const settle = async (http: HttpFixture) => {
  for (let round = 0; round < 20; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    await http.clock.advance(200);
  }
};

describe("partitions", () => {
  it("[MEM1] are added, changed, cordoned, drained and removed; the base map's changes become moves", async () => {
    const http = httpFixture();
    const added = await send(http, "POST", "partitions", {
      name: "p2",
      weight: 2,
      labels: { zone: "b" },
      location: "weur",
    });
    expect([added.status, await added.json()]).toMatchObject([
      201,
      {
        name: "p2",
        weight: 2,
        labels: { zone: "b" },
        state: "active",
        location: "weur",
        assignedShards: 0,
        drained: false,
      },
    ]);
    await settle(http);
    const taken = await json<{ assignedShards: number }>(http.admin("partitions/p2"));
    expect(taken.assignedShards).toBeGreaterThan(2);
    expect(await json(send(http, "PATCH", "partitions/p2", { weight: 1 }))).toMatchObject({ weight: 1 });
    expect(await json(send(http, "POST", "partitions/p2/cordon"))).toMatchObject({ state: "cordoned" });
    expect(await json(send(http, "POST", "partitions/p2/uncordon"))).toMatchObject({ state: "active" });
    expect(await codeOf(await send(http, "DELETE", "partitions/p2"))).toBe("CONFLICT");
    expect(await json(send(http, "POST", "partitions/p2/drain"))).toMatchObject({ state: "draining" });
    await settle(http);
    expect(await json(http.admin("partitions/p2"))).toMatchObject({ assignedShards: 0, drained: true });
    expect(await json(send(http, "DELETE", "partitions/p2"))).toEqual({ removed: true, name: "p2" });
    expect(await codeOf(await http.admin("partitions/p2"))).toBe("NOT_FOUND");
    const { moves, counts } = await json<{ moves: { phase: string }[]; counts: { done: number } }>(http.admin("moves"));
    expect(counts.done).toBe(moves.length);
    expect(new Set(moves.map(({ phase }) => phase))).toEqual(new Set(["done"]));
  });

  it("[MEM1] [PLAN3] a dry run of a change shows every move that would follow, and changes nothing", async () => {
    // Balancing numbers would move a few more.
    const config = configSchema.parse({ stableFor: "1ms", rebalanceThreshold: 5 });
    const http = httpFixture({ config, names: ["p0", "p1", "p2"], shards: 64 });
    const before = await (await http.admin("shards")).json();
    const owned = (await json<{ assignedShards: number }>(http.admin("partitions/p1"))).assignedShards;
    for (const [method, path, body] of [
      ["POST", "partitions/p1/drain", {}],
      ["POST", "partitions", { name: "p9", weight: 2 }],
      ["PATCH", "partitions/p1", { weight: 5 }],
      ["POST", "partitions/p1/cordon", {}],
    ] as const) {
      const shown = await send(http, method, path, { ...body, dryRun: true });
      const plan = (await shown.json()) as { dryRun: boolean; moves: { from: string; to: string; reason: string }[] };
      expect([path, shown.status, plan.dryRun]).toEqual([path, 200, true]);
      const { from, to } = plan.moves[0] ?? { from: undefined, to: undefined };
      if (path.endsWith("drain")) {
        expect(plan.moves.map((move) => [move.from, move.reason])).toEqual(Array(owned).fill(["p1", "drain"]));
      } else if (path === "partitions") expect([plan.moves.length > 3, to]).toEqual([true, "p9"]);
      else if (method === "PATCH") expect([plan.moves.length > 2, to]).toEqual([true, "p1"]);
      else expect(from).toBeUndefined();
      await settle(http);
      expect(await (await http.admin("shards")).json()).toEqual(before);
    }
    expect(await json(http.admin("audit"))).toMatchObject({ entries: [] });
    expect(await json(http.admin("partitions/p1"))).toMatchObject({ state: "active", weight: 1 });
    // What is shown is what happens.
    const { moves } = await json<{ moves: { shard: number; to: string }[] }>(
      send(http, "POST", "partitions/p1/drain", { dryRun: true }),
    );
    await send(http, "POST", "partitions/p1/drain");
    await settle(http);
    for (const { shard, to } of moves) {
      expect(await json(http.admin(`shards/${shard}`)), String(shard)).toMatchObject({ partition: to });
    }
  });

  it.each([
    ["a name with a slash", { name: "a/b" }],
    ["no name", {}],
    ["no weight", { name: "x", weight: 0 }],
    ["too much weight", { name: "x", weight: 1e9 }],
    ["labels that are no texts", { name: "x", labels: { a: 1 } }],
    ["too many labels", { name: "x", labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`l${n}`, ""])) }],
    ["a location of digits", { name: "x", location: "12" }],
    ["a stranger", { name: "x", color: "red" }],
  ])("[MEM1] can't be added with %s", async (_, body) => {
    expect(await codeOf(await send(httpFixture(), "POST", "partitions", body))).toBe("INVALID_ARGUMENT");
  });

  it("[MEM1] a second of a name, an unknown one, and draining the last are refused", async () => {
    const http = httpFixture();
    expect(await codeOf(await send(http, "POST", "partitions", { name: "p1" }))).toBe("CONFLICT");
    expect(await codeOf(await send(http, "PATCH", "partitions/p1", {}))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await send(http, "POST", "partitions/nobody/drain"))).toBe("NOT_FOUND");
    await send(http, "POST", "partitions/p1/drain");
    expect(await codeOf(await send(http, "POST", "partitions/p0/drain"))).toBe("CONFLICT");
  });
});

describe("shards", () => {
  it("[MEM1] [MAP4] move where they are told, and say who told them", async () => {
    const http = httpFixture();
    const before = await json<{ partition: string; why: string }>(http.admin("shards/3"));
    const to = before.partition === "p0" ? "p1" : "p0";
    expect(before.why).toBe("base map");
    const moving = await send(http, "POST", "shards/3/move", { partition: to });
    expect([moving.status, await moving.json()]).toMatchObject([
      202,
      { shard: 3, from: before.partition, to, reason: "operator" },
    ]);
    await settle(http);
    expect(await json(http.admin("shards/3"))).toMatchObject({
      partition: to,
      why: "moved by an operator",
      moving: null,
    });
    expect(await codeOf(await send(http, "POST", "shards/3/move", { partition: to }))).toBe("CONFLICT");
  });

  it("[MAP4] an object says who decided its place, and when", async () => {
    const http = httpFixture();
    const path = `objects/Counter/${encodeURIComponent("shard#3/x")}`;
    const before = await json<{ partition: string }>(http.admin(path));
    expect(before).toMatchObject({ shard: 3, why: "base map", decidedAt: null });
    const to = before.partition === "p0" ? "p1" : "p0";
    await send(http, "POST", "shards/3/move", { partition: to });
    await settle(http);
    const { movedAt } = await json<{ movedAt: string }>(http.admin("shards/3"));
    await http.parts.router.refresh();
    const after = { partition: to, why: "moved by an operator", decidedAt: movedAt };
    expect(await json(http.admin(path))).toMatchObject(after);
  });

  it("[MAP4] [MIG6] show a move under way, and what holds it up", async () => {
    const http = httpFixture();
    const { partition } = await json<{ partition: string }>(http.admin("shards/3"));
    const to = partition === "p0" ? "p1" : "p0";
    const source = http.partitions.get(partition);
    if (source !== undefined) source.state = "down";
    const { id } = await json<{ id: number }>(send(http, "POST", "shards/3/move", { partition: to }));
    await settle(http);
    const moving = { to, phase: "copying", id };
    expect(await json(http.admin("shards/3"))).toMatchObject({ partition, why: "base map", moving });
    const { shards } = await json<{ shards: object[] }>(http.admin("shards"));
    expect([shards[3], shards[4]]).toMatchObject([{ moving }, { moving: null }]);
    const { moves, counts } = await json<{ moves: { trouble: string; ageMs: number }[]; counts: object }>(
      http.admin("moves?active=true&shard=3"),
    );
    expect(moves).toMatchObject([{ ...moving, endedAt: null, trouble: expect.any(String), stuck: false }]);
    expect(moves[0]?.ageMs).toBeGreaterThan(1_000);
    expect(counts).toMatchObject({ active: 1, done: 0 });
    expect(await json(http.admin("moves?active=true&shard=4"))).toMatchObject({ moves: [] });
    expect(await json(http.admin("cluster"))).toMatchObject({ moves: { active: 1 } });
    expect(await json(http.admin(`partitions/${to}`))).toMatchObject({ incoming: 1, outgoing: 0, state: "active" });
  });

  it("[MIG6] moves come in pages, newest first", async () => {
    const http = httpFixture({ config: configSchema.parse({ rebalance: "off" }) });
    for (const shard of [3, 4, 5]) {
      const { partition } = await json<{ partition: string }>(http.admin(`shards/${shard}`));
      await send(http, "POST", `shards/${shard}/move`, { partition: partition === "p0" ? "p1" : "p0" });
    }
    await settle(http);
    const page = (query: string) => json<{ moves: { shard: number }[]; cursor?: string }>(http.admin(`moves?${query}`));
    const first = await page("limit=2");
    expect(first.moves.map(({ shard }) => shard)).toEqual([5, 4]);
    const rest = await page(`limit=2&cursor=${first.cursor}`);
    expect(rest.moves.map(({ shard }) => shard)).toEqual([3]);
    expect(rest).not.toHaveProperty("cursor");
    expect((await page("active=true")).moves).toEqual([]);
    // By its former name too.
    expect(await json(http.admin("migrations"))).toEqual(await json(http.admin("moves")));
  });

  it("[PLAN2] are pinned where they are or to a partition, show it, and are let go", async () => {
    const http = httpFixture();
    const { partition } = await json<{ partition: string }>(http.admin("shards/4"));
    const other = partition === "p0" ? "p1" : "p0";
    expect(await json(send(http, "POST", "shards/4/pin", {}))).toMatchObject({
      pinned: true,
      pinnedTo: null,
      partition,
    });
    expect(await codeOf(await send(http, "POST", "shards/4/move", { partition: other }))).toBe("CONFLICT");
    await json(send(http, "POST", "shards/4/pin", { partition: other }));
    await settle(http);
    expect(await json(http.admin("shards/4"))).toMatchObject({
      partition: other,
      pinned: true,
      why: `pinned to ${other}`,
    });
    expect(await json(send(http, "POST", "shards/4/unpin"))).toMatchObject({ pinned: false });
  });

  it("[MEM1] a shard or partition that isn't there, and bodies that don't fit, are refused", async () => {
    const http = httpFixture();
    for (const n of ["16", "-1", "1.5", "x", "007"]) {
      expect(await codeOf(await send(http, "POST", `shards/${n}/pin`, {})), n).toBe("NOT_FOUND");
      expect(await codeOf(await send(http, "POST", `shards/${n}/unpin`)), n).toBe("NOT_FOUND");
      expect(await codeOf(await send(http, "POST", `shards/${n}/move`, { partition: "p0" })), n).toBe("NOT_FOUND");
    }
    expect(await codeOf(await send(http, "POST", "shards/1/move", { partition: "p9" }))).toBe("NOT_FOUND");
    expect(await codeOf(await send(http, "POST", "shards/1/move", {}))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await send(http, "POST", "shards/1/pin", { partition: 7 }))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await send(http, "POST", "shards/1/pin", "{"))).toBe("INVALID_JSON");
  });
});

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
      { command: "add-partition", actor: "admin token", outcome: "CONFLICT", details: { name: "p2" } },
      { command: "add-partition", actor: "admin token", outcome: "done", details: { name: "p2" } },
    ]);
    const first = await json<{ entries: object[]; cursor: string }>(http.admin("audit?limit=1"));
    expect(await json(http.admin(`audit?limit=1&cursor=${first.cursor}`))).toMatchObject({
      entries: [{ outcome: "done" }],
    });
  });

  it("[ACC3] needs the token, and a coordinator that answers", async () => {
    const away = () => Promise.reject(new Error("gone"));
    const coordinator = { status: away, map: away, execute: away, view: away, notes: away, moves: away, audit: away };
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
