import { describe, expect, it } from "vitest";
import { fingerprint } from "../../src/reliable/fingerprint.ts";
import { callRecord } from "../support/call-records.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

const PATH = "/api/v1/objects/calls/Counter/visits/";

function withRecord(changes: Parameters<typeof callRecord>[0]) {
  const http = httpFixture();
  const record = callRecord({ type: "Counter", id: "visits", callId: "k", method: "add", ...changes });
  for (const partition of http.partitions.values()) partition.records.set("Counter/visits/k", record);
  return http;
}

describe("status of a reliable call", () => {
  it("[ACC2] a call that was made for somebody is there for them alone", async () => {
    const authenticate = async (request: Request) => {
      const id = request.headers.get("authorization");
      return id === null ? null : { id, roles: [] };
    };
    const http = httpFixture({ authenticate });
    const record = callRecord({
      type: "Counter",
      id: "visits",
      callId: "k",
      method: "add",
      requestHash: fingerprint("get", undefined, "ann"),
    });
    for (const partition of http.partitions.values()) partition.records.set("Counter/visits/k", record);
    const ask = (id: string) => http.fetch(`${PATH}k`, id === "" ? {} : { headers: { authorization: id } });
    expect((await ask("ann")).status).toBe(200);
    const [theirs, none] = [
      await ask("bob"),
      await http.fetch(`${PATH}unknown`, { headers: { authorization: "bob" } }),
    ];
    const [denied, missing] = [(await theirs.json()) as object, (await none.json()) as object];
    expect({ ...denied, requestId: "" }).toEqual({ ...missing, requestId: "" });
    expect(await codeOf(await ask(""))).toBe("CALL_NOT_FOUND");
  });

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

  it("[TIME7] one that waits says for which time", async () => {
    const waiting = withRecord({ status: "pending", response: null, finishedAt: null, notBefore: 1_900_000_000_000 });
    expect(await (await waiting.fetch(`${PATH}k`)).json()).toMatchObject({
      status: "waiting",
      notBefore: new Date(1_900_000_000_000).toISOString(),
    });
  });

  it("[TIME8] DELETE cancels one that waits, and no other", async () => {
    const cancel = (http: ReturnType<typeof httpFixture>) => http.fetch(`${PATH}k`, { method: "DELETE" });
    const waiting = withRecord({ status: "pending", response: null, finishedAt: null, notBefore: 1_900_000_000_000 });
    expect(await (await cancel(waiting)).json()).toEqual({ success: true });
    expect(await codeOf(await cancel(waiting))).toBe("CALL_NOT_FOUND");
    expect(await codeOf(await cancel(withRecord({})))).toBe("CONFLICT");
  });

  it("[CALL11] asks the log for what the owner does not know", async () => {
    const http = httpFixture();
    await http.log.write([callRecord({ type: "Counter", id: "visits", callId: "old/1", method: "add" })]);
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
