import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/config.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";
import { json, send, settle } from "./movement-fixture.ts";

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
