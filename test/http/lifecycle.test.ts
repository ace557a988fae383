import { describe, expect, it } from "vitest";
import { codeOf, httpFixture } from "./http-fixture.ts";

describe("create and delete", () => {
  it("[HTTP5] create answers 201, or 200 for an object that was there", async () => {
    const http = httpFixture({ names: ["p0"] });
    const path = "/api/v1/objects/create/Counter/shard%235%2Fx";
    const first = await http.post(path, {});
    expect([first.status, await first.json()]).toEqual([201, { id: "shard#5/x" }]);
    const second = await http.post(path);
    expect([second.status, await second.json()]).toEqual([200, { id: "shard#5/x" }]);
    expect(http.partitions.get("p0")?.lifecycles[0]).toEqual({
      action: "create",
      type: "Counter",
      id: "shard#5/x",
      deadline: http.clock.now() + 30_000,
      requestId: "uuid-1",
      caller: { kind: "client" },
    });
  });

  it("[HTTP5] create passes its request on; delete has none", async () => {
    const http = httpFixture({ names: ["p0"] });
    await http.post("/api/v1/objects/create/Counter/x", { request: { owner: "ann" } });
    await http.post("/api/v1/objects/create/Counter/x", { request: null });
    const sent = http.partitions.get("p0")?.lifecycles.map(({ request }) => request);
    expect(sent).toEqual(['{"owner":"ann"}', undefined]);
    const long = { request: "x".repeat(2_000_000) };
    expect(await codeOf(await http.post("/api/v1/objects/create/Counter/x", long))).toBe("PAYLOAD_TOO_LARGE");
    expect(await codeOf(await http.post("/api/v1/objects/delete/Counter/x", { request: 1 }))).toBe("INVALID_ARGUMENT");
  });

  it("[HTTP5] delete answers success whether or not there was an object", async () => {
    const http = httpFixture();
    for (const _ of [1, 2]) {
      const response = await http.post("/api/v1/objects/delete/Counter/x");
      expect([response.status, await response.json()]).toEqual([200, { success: true }]);
    }
  });

  it.each(["idempotency-key", "edgeverse-log", "edgeverse-expires-in"])(
    "[CALL1] refuses %s: they are no reliable calls, and a batch is none",
    async (name) => {
      const http = httpFixture();
      const send = (path: string, body: unknown) =>
        http.fetch(`/api/v1/objects/${path}`, { method: "POST", headers: { [name]: "1" }, body: JSON.stringify(body) });
      expect(await codeOf(await send("create/Counter/x", {}))).toBe("INVALID_ARGUMENT");
      expect(await codeOf(await send("delete/Counter/x", {}))).toBe("INVALID_ARGUMENT");
      const calls = [{ type: "Counter", id: "x", method: "get" }];
      expect(await codeOf(await send("batch", { calls }))).toBe("INVALID_ARGUMENT");
    },
  );

  it("[TURN5] uses the type's deadline, or the request's", async () => {
    const http = httpFixture({ names: ["p0"] });
    await http.post("/api/v1/objects/create/Patient/x");
    await http.post("/api/v1/objects/create/Patient/x", "", { "edgeverse-timeout": "5" });
    const now = http.clock.now();
    expect(http.partitions.get("p0")?.lifecycles.map(({ deadline }) => deadline - now)).toEqual([90_000, 5]);
  });

  it("[ID1] refuses what it can't place or does not know", async () => {
    const http = httpFixture();
    expect(await codeOf(await http.post("/api/v1/objects/create/Nope/x"))).toBe("TYPE_NOT_FOUND");
    expect(await codeOf(await http.post("/api/v1/objects/create/Counter/a%2Fb"))).toBe("INVALID_ID");
    expect(await codeOf(await http.post("/api/v1/objects/delete/Counter/a%00"))).toBe("INVALID_ID");
    expect(await codeOf(await http.post("/api/v1/objects/create/Counter/x", { other: 1 }))).toBe("INVALID_ARGUMENT");
  });
});
