import { describe, expect, it } from "vitest";
import { type Maintenance, maintenanceOf } from "../../src/reliable/maintenance.ts";
import { callRecord } from "../support/call-records.ts";
import type { FakePartition } from "./fake-partition.ts";
import { BEARER, codeOf, httpFixture, patiently, TOKEN } from "./http-fixture.ts";

describe("who may use the admin API", () => {
  it("[ACC3] nobody without a configured token: there is no such path", async () => {
    for (const adminToken of [undefined, ""]) {
      const http = httpFixture({ adminToken });
      for (const path of ["/admin/v1/cluster", "/admin", "/admin/", "/admin/v1/nothing"]) {
        for (const headers of [{}, BEARER, { authorization: "Bearer " }]) {
          expect((await http.fetch(path, { headers })).status).toBe(404);
        }
      }
      expect(await codeOf(await http.post("/admin/v1/cluster"))).toBe("NOT_FOUND");
    }
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer wrong",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN} ${TOKEN}`,
  ])("[ACC3] not with authorization %j, on any path", async (authorization) => {
    const http = httpFixture();
    for (const path of ["/admin/v1/cluster", "/admin/v1/nothing", "/admin/v1/calls/wake"]) {
      const response = await http.fetch(path, { headers: authorization === undefined ? {} : { authorization } });
      expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(await codeOf(response)).toBe("UNAUTHENTICATED");
    }
  });

  it("[ACC3] no spelling of the path goes around the token", async () => {
    const http = httpFixture();
    for (const path of [
      "/%61dmin/v1/cluster",
      "/Admin/v1/cluster",
      "/api/..%2fadmin/v1/cluster",
      "/admin%2fv1/cluster",
    ]) {
      expect((await http.fetch(path)).status).toBe(404);
    }
    expect((await http.fetch("/x/../admin/v1/cluster")).status).toBe(401);
  });

  it("[ACC3] whoever has the token, in any case of Bearer", async () => {
    const http = httpFixture();
    expect((await http.admin("cluster")).status).toBe(200);
    const headers = { authorization: `bearer  ${TOKEN}` };
    expect((await http.fetch("/admin/v1/cluster", { headers })).status).toBe(200);
    expect(await codeOf(await http.admin("nothing"))).toBe("NOT_FOUND");
    expect(await codeOf(await http.post("/admin/v1/cluster", {}, BEARER))).toBe("METHOD_NOT_ALLOWED");
  });
});

describe("cluster and partitions", () => {
  it("[HTTP11] shows the cluster, also while parts of it are away", async () => {
    const http = httpFixture();
    expect(await (await http.admin("cluster")).json()).toMatchObject({
      shards: 16,
      partitions: [
        { name: "p0", weight: 1, reachable: true },
        { name: "p1", weight: 1, reachable: true },
      ],
      coordinator: { reachable: true, bootstrapped: true },
      totals: { objectsInMemory: 2, openCalls: 4 },
      types: [
        { type: "Counter", methods: [{ name: "add", readonly: false, log: "write-behind" }, { name: "get" }, {}] },
        {},
      ],
    });
    const p0 = http.partitions.get("p0");
    if (p0 !== undefined) p0.state = "silent";
    expect(await (await patiently(http, http.admin("cluster"))).json()).toMatchObject({
      partitions: [{ reachable: false }, { reachable: true }],
      totals: { objectsInMemory: 1 },
    });
  });

  it("[HTTP11] lists partitions; one that is away does not spoil the rest", async () => {
    const http = httpFixture();
    const p1 = http.partitions.get("p1");
    if (p1 !== undefined) p1.state = "down";
    const text = await (await http.admin("partitions")).text();
    expect(text).not.toContain("internal detail");
    expect(JSON.parse(text)).toMatchObject({
      partitions: [
        { name: "p0", reachable: true, openCalls: 2 },
        { name: "p1", reachable: false, error: { code: "UNAVAILABLE" } },
      ],
    });
  });
});

describe("shards", () => {
  it("[MAP4] lists all with their owner and why; what is claimed has its epoch", async () => {
    const http = httpFixture();
    const { map } = http.parts.router;
    const other = map.owner(3) === "p0" ? "p1" : "p0";
    http.partitions.get(map.owner(5))?.claimed.push([5, 1]);
    http.partitions.get(other)?.claimed.push([3, 4]);
    const { shards } = (await (await http.admin("shards")).json()) as {
      shards: { shard: number; partition: string }[];
    };
    expect(shards.map(({ shard }) => shard)).toEqual(Array.from({ length: 16 }, (_, shard) => shard));
    expect(shards[5]).toMatchObject({ shard: 5, partition: map.owner(5), epoch: 1, claimed: true, why: "base map" });
    expect(shards[6]).toMatchObject({
      shard: 6,
      partition: map.owner(6),
      epoch: null,
      claimed: false,
      why: "base map",
    });
    expect(shards[3]).toMatchObject({
      shard: 3,
      partition: other,
      epoch: 4,
      claimed: true,
      why: `claimed; the map says ${map.owner(3)}`,
    });
    const of = (await (await http.admin("shards?partition=p1")).json()) as { shards: unknown[] };
    expect(of.shards).toEqual(shards.filter(({ partition }) => partition === "p1"));
    expect(await codeOf(await http.admin("shards?partition=none"))).toBe("NOT_FOUND");
  });

  it.each(["", "partition=p1&"])("[HTTP11] ?%s come in pages, by number", async (filter) => {
    const http = httpFixture();
    type Page = { shards: { shard: number }[]; cursor?: string };
    const page = async (query: string) => (await (await http.admin(`shards?${filter}${query}`)).json()) as Page;
    const whole = await page("limit=1000");
    expect(whole).not.toHaveProperty("cursor");
    const seen: object[] = [];
    for (let next: Page | undefined = await page("limit=2"); next !== undefined; ) {
      expect(next.shards.length).toBeGreaterThan(0);
      seen.push(...next.shards);
      next = next.cursor === undefined ? undefined : await page(`limit=2&cursor=${next.cursor}`);
    }
    expect(seen).toEqual(whole.shards);
    expect(seen.length).toBeGreaterThan(4);
  });

  it.each(["wrong=1", "limit=0", "limit=1001", "cursor=x"])("[HTTP11] refuses ?%s", async (query) => {
    expect(await codeOf(await httpFixture().admin(`shards?${query}`))).toBe("INVALID_ARGUMENT");
  });

  it("[MAP4] says when a partition can't tell", async () => {
    const http = httpFixture({ names: ["p0"] });
    const p0 = http.partitions.get("p0");
    if (p0 !== undefined) p0.state = "down";
    expect(await (await http.admin("shards/7")).json()).toMatchObject({
      shard: 7,
      partition: "p0",
      epoch: null,
      claimed: null,
      why: "base map",
    });
  });

  it.each(["16", "-1", "x", "1.5", "01", "9999999999"])("[HTTP11] shard %s does not exist", async (shard) => {
    expect(await codeOf(await httpFixture().admin(`shards/${shard}`))).toBe("NOT_FOUND");
  });
});

describe("the log of calls", () => {
  it("[HTTP11] pages newest first and filters", async () => {
    const http = httpFixture();
    const records = Array.from({ length: 5 }, (_, index) =>
      callRecord({ callId: `k${index}`, type: index < 3 ? "A" : "B" }),
    );
    await http.log.write(records);
    const page = async (query: string) =>
      (await (await http.admin(`calls?${query}`)).json()) as { calls: { callId: string }[]; cursor?: string };
    const first = await page("limit=2");
    expect(first.calls.map(({ callId }) => callId)).toEqual(["k4", "k3"]);
    const rest = await page(`limit=10&cursor=${first.cursor}&type=A&status=success&id=o1`);
    expect(rest.calls.map(({ callId }) => callId)).toEqual(["k2", "k1", "k0"]);
    expect(rest).not.toHaveProperty("cursor");
    expect(rest.calls[0]).toMatchObject({
      type: "A",
      method: "m",
      seq: 3,
      request: { n: 1 },
      response: "ok",
      epoch: 1,
    });
  });

  it.each(["limit=0", "limit=1001", "limit=x", "limit=", "cursor=x", "cursor=LTE", "before=3", "status=done", "wat=1"])(
    "[HTTP11] refuses ?%s",
    async (query) => {
      expect(await codeOf(await httpFixture().admin(`calls?${query}`))).toBe("INVALID_ARGUMENT");
    },
  );

  it("[HTTP11] [CALL14] refuses names no object can have, and reconciles no local log", async () => {
    expect(await codeOf(await httpFixture().admin("calls?type=a-b"))).toBe("INVALID_ID");
    expect(await codeOf(await httpFixture().admin("calls?id=%00"))).toBe("INVALID_ID");
    const http = httpFixture({ log: undefined });
    expect(await (await http.admin("calls")).json()).toEqual({ calls: [] });
    const { router, connect, config, registry, clock } = http.parts;
    const maintenance = maintenanceOf({ log: undefined, router, connect, config, registry, clock });
    const { post } = httpFixture({ log: undefined, maintenance });
    expect(await codeOf(await post("/admin/v1/calls/wake", "", BEARER))).toBe("LOG_UNAVAILABLE");
    const cleaned = await post("/admin/v1/calls/cleanup", "", BEARER);
    expect(await cleaned.json()).toMatchObject({ counts: { success: 0 }, marks: 0, complete: true });
  });

  it("[CALL15] is counted by type and status", async () => {
    const http = httpFixture();
    await http.log.write([callRecord({ type: "B" }), callRecord({ type: "A" }), callRecord({ type: "B" })]);
    const oldest = new Date(callRecord({}).acceptedAt).toISOString();
    expect(await (await http.admin("calls/stats")).json()).toEqual({
      counts: [
        { type: "A", status: "success", count: 1, oldest, bytes: 12 },
        { type: "B", status: "success", count: 2, oldest, bytes: 24 },
      ],
    });
    http.log.down = true;
    expect(await codeOf(await http.admin("calls/stats"))).toBe("LOG_UNAVAILABLE");
  });

  it("[CALL14] is asked from the partitions where it is local, and names those that are silent", async () => {
    const http = httpFixture({ log: undefined });
    const record = callRecord({ type: "Counter", id: "p0-1", callId: "c" });
    const p0 = http.partitions.get("p0") as FakePartition;
    p0.records.set("Counter/p0-1/c", record);
    p0.newestCalls = async ({ limit }) => {
      const { type, id, callId } = record;
      return { calls: limit === 1 ? [{ type, id, callId, seq: 7, bytes: 1 }] : [], complete: limit !== 3 };
    };
    p0.callStats = async () => ({
      counts: [{ type: "Counter", status: "success", count: 1, oldest: null, bytes: 1 }],
      complete: true,
    });
    (http.partitions.get("p1") as FakePartition).state = "down";
    type Page = { calls: object[]; cursor: string; unreachable: string[] };
    const page = (await (await http.admin("calls?limit=1")).json()) as Page;
    expect(page).toMatchObject({ calls: [{ callId: "c", seq: 7, request: { n: 1 } }], unreachable: ["p1"] });
    expect((await http.admin(`calls?limit=2&cursor=${page.cursor}`)).status).toBe(200);
    expect(await codeOf(await http.admin("calls?limit=3"))).toBe("LOG_UNAVAILABLE");
    expect(await (await http.admin("calls/stats")).json()).toEqual({
      counts: [{ type: "Counter", status: "success", count: 1, oldest: null, bytes: 1 }],
      unreachable: ["p1"],
    });
  });

  it("[CALL9] cleanup takes a duration, by default the retention", async () => {
    const asked: unknown[] = [];
    const { maintenance } = httpFixture().parts;
    const spy: Maintenance = {
      reconcile: () => Promise.reject(new Error("not asked")),
      cleanUp: (options) => {
        asked.push(options);
        return maintenance.cleanUp(options);
      },
    };
    const http = httpFixture({ maintenance: spy });
    const response = await http.post("/admin/v1/calls/cleanup", { olderThan: "40d", dryRun: true }, BEARER);
    expect(await response.json()).toEqual({
      dryRun: true,
      before: new Date(1_800_000_000_000 - 40 * 86_400_000).toISOString(),
      counts: { success: 1, failed: 2, expired: 3 },
      marks: 4,
      silent: [],
      complete: true,
    });
    await http.post("/admin/v1/calls/cleanup", "", BEARER);
    expect(asked).toEqual([
      { olderThan: 40 * 86_400_000, dryRun: true },
      { olderThan: null, dryRun: false },
    ]);
    for (const body of [{ olderThan: "30" }, { olderThan: 30 }, { dryRun: "yes" }, { older: "1d" }, []]) {
      expect(await codeOf(await http.post("/admin/v1/calls/cleanup", body, BEARER))).toBe("INVALID_ARGUMENT");
    }
  });

  it("[CALL11] wake drives pending rows and reports", async () => {
    const response = await httpFixture().post("/admin/v1/calls/wake", undefined, BEARER);
    expect([response.status, await response.json()]).toMatchObject([200, { seen: 3, driven: 1, complete: true }]);
  });
});
