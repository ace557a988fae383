import { describe, expect, it } from "vitest";
import { httpFixture, silentCoordinator } from "./http-fixture.ts";

describe("health", () => {
  it("[HTTP9] /healthz asks nobody", async () => {
    const http = httpFixture();
    for (const partition of http.partitions.values()) partition.state = "silent";
    const response = await http.fetch("/healthz");
    expect([response.status, await response.text()]).toEqual([200, '{"status":"ok"}']);
  });

  it("[HTTP9] /ready says that all can be reached", async () => {
    const response = await httpFixture().fetch("/ready");
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        status: "ready",
        bootstrapped: true,
        failing: [],
        shards: { total: 16, partitions: 2, unreachable: [] },
        coordinator: { status: "ok" },
        log: { status: "ok" },
      },
    ]);
  });

  it("[HTTP9] /ready is fine with a local log", async () => {
    const response = await httpFixture({ log: undefined }).fetch("/ready");
    expect([response.status, await response.json()]).toMatchObject([200, { log: { status: "local" } }]);
  });

  it("[HTTP9] /ready names what can't be reached, within 3 s", async () => {
    const http = httpFixture({ coordinator: silentCoordinator() });
    const p1 = http.partitions.get("p1");
    if (p1 === undefined) throw new Error("no p1");
    p1.state = "silent";
    http.log.down = true;
    const answer = http.fetch("/ready");
    await http.clock.advance(3_000);
    const response = await answer;
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        status: "degraded",
        bootstrapped: null,
        failing: ["partition p1", "coordinator", "log"],
        shards: { total: 16, partitions: 2, unreachable: ["p1"] },
        coordinator: { status: "unreachable" },
        log: { status: "unreachable" },
      },
    ]);
  });

  it("[HTTP9] one answer of /ready serves all probes of a second", async () => {
    const http = httpFixture();
    await http.fetch("/ready");
    http.log.down = true;
    expect((await http.fetch("/ready")).status).toBe(200);
    await http.clock.advance(1_000);
    expect((await http.fetch("/ready")).status).toBe(503);
  });
});
