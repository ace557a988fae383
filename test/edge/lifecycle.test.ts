import { describe, expect, it } from "vitest";
import { codeOf, edgeFixture } from "./edge-fixture.ts";

describe("create and delete", () => {
  it("§9: create answers 201, or 200 for an object that was there", async () => {
    const edge = edgeFixture({ names: ["p0"] });
    const path = "/api/v1/objects/create/Counter/shard%235%2Fx";
    const first = await edge.post(path, {});
    expect([first.status, await first.json()]).toEqual([201, { id: "shard#5/x" }]);
    const second = await edge.post(path);
    expect([second.status, await second.json()]).toEqual([200, { id: "shard#5/x" }]);
    expect(edge.partitions.get("p0")?.lifecycles[0]).toEqual({
      action: "create",
      type: "Counter",
      id: "shard#5/x",
      deadline: edge.clock.now() + 30_000,
      requestId: "uuid-1",
      caller: { kind: "client" },
    });
  });

  it("§9: delete answers success whether or not there was an object", async () => {
    const edge = edgeFixture();
    for (const _ of [1, 2]) {
      const response = await edge.post("/api/v1/objects/delete/Counter/x");
      expect([response.status, await response.json()]).toEqual([200, { success: true }]);
    }
  });

  it.each(["idempotency-key", "edgeverse-log", "edgeverse-expires-in"])(
    "[CALL1] refuses %s: they are no reliable calls, and a batch is none",
    async (name) => {
      const edge = edgeFixture();
      const send = (path: string, body: unknown) =>
        edge.fetch(`/api/v1/objects/${path}`, { method: "POST", headers: { [name]: "1" }, body: JSON.stringify(body) });
      expect(await codeOf(await send("create/Counter/x", {}))).toBe("INVALID_ARGUMENT");
      expect(await codeOf(await send("delete/Counter/x", {}))).toBe("INVALID_ARGUMENT");
      const calls = [{ type: "Counter", id: "x", method: "get" }];
      expect(await codeOf(await send("batch", { calls }))).toBe("INVALID_ARGUMENT");
    },
  );

  it("[TURN5] uses the type's deadline, or the request's", async () => {
    const edge = edgeFixture({ names: ["p0"] });
    await edge.post("/api/v1/objects/create/Patient/x");
    await edge.post("/api/v1/objects/create/Patient/x", "", { "edgeverse-timeout": "5" });
    const now = edge.clock.now();
    expect(edge.partitions.get("p0")?.lifecycles.map(({ deadline }) => deadline - now)).toEqual([90_000, 5]);
  });

  it("[ID1] refuses what it can't place or does not know", async () => {
    const edge = edgeFixture();
    expect(await codeOf(await edge.post("/api/v1/objects/create/Nope/x"))).toBe("TYPE_NOT_FOUND");
    expect(await codeOf(await edge.post("/api/v1/objects/create/Counter/a%2Fb"))).toBe("INVALID_ID");
    expect(await codeOf(await edge.post("/api/v1/objects/delete/Counter/a%00"))).toBe("INVALID_ID");
    expect(await codeOf(await edge.post("/api/v1/objects/create/Counter/x", { request: 1 }))).toBe("INVALID_ARGUMENT");
  });
});
