import { describe, expect, it } from "vitest";
import { callRecord } from "../support/call-records.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

const PATH = "/api/v1/objects/calls/Counter/visits/";

function withRecord(changes: Parameters<typeof callRecord>[0]) {
  const http = httpFixture();
  const record = callRecord({ type: "Counter", id: "visits", callId: "k", ...changes });
  for (const partition of http.partitions.values()) partition.records.set("Counter/visits/k", record);
  return http;
}

describe("status of a reliable call", () => {
  it("[CALL2] a success has its response as it is", async () => {
    const http = withRecord({ response: '{"n":  1.0}' });
    const text = await (await http.fetch(`${PATH}k`)).text();
    expect(text).toContain('"response":{"n":  1.0}');
    expect(JSON.parse(text)).toEqual({
      callId: "k",
      status: "success",
      response: { n: 1 },
      attempts: 1,
      acceptedAt: new Date(1_790_000_000_001).toISOString(),
      finishedAt: new Date(1_790_000_000_250).toISOString(),
    });
  });

  it("[CALL2] a pending call has no outcome, a success of nothing has null, a failed one its error", async () => {
    const pending = withRecord({ status: "pending", response: null, finishedAt: null });
    expect(Object.keys((await (await pending.fetch(`${PATH}k`)).json()) as object)).toEqual([
      "callId",
      "status",
      "attempts",
      "acceptedAt",
    ]);
    const nothing = withRecord({ response: null });
    expect(await (await nothing.fetch(`${PATH}k`)).json()).toMatchObject({ response: null });
    const error = { code: "INTERNAL", message: "hunter2", retryable: false } as const;
    const failed = withRecord({ status: "failed", response: null, error });
    const text = await (await failed.fetch(`${PATH}k`)).text();
    expect(text).not.toContain("hunter2");
    expect(JSON.parse(text)).toMatchObject({ status: "failed", error: { code: "INTERNAL" } });
  });

  it("[CALL11] asks the log for what the owner does not know", async () => {
    const http = httpFixture();
    await http.log.write([callRecord({ type: "Counter", id: "visits", callId: "old/1" })]);
    expect((await http.fetch(`${PATH}old%2F1`)).status).toBe(200);
    expect(await codeOf(await http.fetch(`${PATH}other`))).toBe("CALL_NOT_FOUND");
    http.log.down = true;
    expect(await codeOf(await http.fetch(`${PATH}other`))).toBe("LOG_UNAVAILABLE");
  });

  it("answers CALL_NOT_FOUND without a log, and refuses what can't be a call", async () => {
    const http = httpFixture({ log: undefined });
    expect(await codeOf(await http.fetch(`${PATH}k`))).toBe("CALL_NOT_FOUND");
    expect(await codeOf(await http.fetch(`${PATH}a%20b`))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await http.fetch("/api/v1/objects/calls/Counter/a%2Fb/k"))).toBe("INVALID_ID");
    expect(await codeOf(await http.fetch("/api/v1/objects/calls/a-b/x/k"))).toBe("INVALID_ID");
  });

  it.each(["down", "silent"] as const)("answers UNAVAILABLE in bounded time when the owner is %s", async (state) => {
    const http = httpFixture();
    for (const partition of http.partitions.values()) partition.state = state;
    const answer = http.fetch(`${PATH}k`);
    await http.clock.advance(6_000);
    expect(await codeOf(await answer)).toBe("UNAVAILABLE");
  });
});
