import { describe, expect, it } from "vitest";
import { edgeFixture } from "./edge-fixture.ts";

describe("health", () => {
  it("§9: /healthz asks nobody", async () => {
    const edge = edgeFixture();
    for (const partition of edge.partitions.values()) partition.state = "silent";
    const response = await edge.fetch("/healthz");
    expect([response.status, await response.text()]).toEqual([200, '{"status":"ok"}']);
  });

  it("§9: /ready says that all can be reached", async () => {
    const response = await edgeFixture().fetch("/ready");
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        status: "ready",
        failing: [],
        shards: { total: 16, partitions: 2, unreachable: [] },
        coordinator: { status: "ok" },
        log: { status: "ok" },
      },
    ]);
  });

  it("§9: /ready is fine without a log", async () => {
    const response = await edgeFixture({ log: undefined }).fetch("/ready");
    expect([response.status, await response.json()]).toMatchObject([200, { log: { status: "none" } }]);
  });

  it("§9: /ready names what can't be reached, within 3 s", async () => {
    const silent = () => new Promise<never>(() => {});
    const coordinator = {
      ...{ status: silent, map: silent, execute: silent, view: silent, notes: silent, moves: silent, audit: silent },
    };
    const edge = edgeFixture({ coordinator });
    const p1 = edge.partitions.get("p1");
    if (p1 === undefined) throw new Error("no p1");
    p1.state = "silent";
    edge.log.down = true;
    const answer = edge.fetch("/ready");
    await edge.clock.advance(3_000);
    const response = await answer;
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        status: "degraded",
        failing: ["partition p1", "coordinator", "log"],
        shards: { total: 16, partitions: 2, unreachable: ["p1"] },
        coordinator: { status: "unreachable" },
        log: { status: "unreachable" },
      },
    ]);
  });

  it("§9: one answer of /ready serves all probes of a second", async () => {
    const edge = edgeFixture();
    await edge.fetch("/ready");
    edge.log.down = true;
    expect((await edge.fetch("/ready")).status).toBe(200);
    await edge.clock.advance(1_000);
    expect((await edge.fetch("/ready")).status).toBe(503);
  });
});
