import { describe, expect, it } from "vitest";
import type { CausedCall } from "../../src/reliable/caused-calls.ts";
import { callRecord } from "../support/call-records.ts";
import { codeOf, httpFixture, patiently } from "./http-fixture.ts";

const ID = "partition#p0/a";
const KEY = { type: "Counter", id: ID, callId: "c/1" };
const PATH = `calls/Counter/${encodeURIComponent(ID)}/c%2F1`;
const cause = { type: "Counter", id: "partition#p1/b", callId: "first" };

function setup(changes: Parameters<typeof httpFixture>[0] = {}) {
  const http = httpFixture(changes);
  const caller = JSON.stringify({ kind: "object", type: cause.type, id: cause.id, cause });
  const record = callRecord({ ...KEY, method: "add", caller, request: '{"by":1}', response: "7" });
  http.partitions.get("p0")?.records.set(`Counter/${ID}/c/1`, record);
  const sent: CausedCall = {
    type: "Counter",
    id: "partition#p1/to",
    callId: "m",
    cause: KEY,
    method: "add",
    status: "sending",
    attempts: 0,
    acceptedAt: null,
    finishedAt: null,
    error: null,
  };
  const [p0] = http.partitions.values();
  if (p0 !== undefined) p0.caused = [sent];
  return { http, sent };
}

describe("GET /admin/v1/calls/{type}/{id}/{callId}", () => {
  it.each([
    ["in Postgres", {}],
    ["local", { log: undefined }],
  ])("[CALL16] tells a call, what led to it, what it led to and when; log %s", async (_name, changes) => {
    const { http } = setup(changes);
    const answer = await http.admin(PATH);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      call: {
        ...KEY,
        shard: 1,
        method: "add",
        epoch: 1,
        traceId: null,
        status: "success",
        attempts: 1,
        request: { by: 1 },
        response: 7,
        caller: { kind: "object", type: cause.type, id: cause.id, cause },
        acceptedAt: "2026-09-21T14:13:20.001Z",
        finishedAt: "2026-09-21T14:13:20.250Z",
      },
      timeline: [
        { at: "2026-09-21T14:13:20.001Z", what: "accepted" },
        { at: "2026-09-21T14:13:20.250Z", what: "success" },
      ],
      causedBy: [{ ...cause, method: null, status: "unknown", attempts: 0 }],
      causes: [
        {
          type: "Counter",
          id: "partition#p1/to",
          callId: "m",
          cause: KEY,
          method: "add",
          status: "sending",
          attempts: 0,
        },
      ],
      complete: true,
      unreachable: [],
    });
  });

  it("[CALL16] answers while the log or a partition is away, and says so", async () => {
    const { http } = setup();
    http.log.down = true;
    const { complete, unreachable } = (await (await http.admin(PATH)).json()) as Record<string, unknown>;
    expect({ complete, unreachable }).toEqual({ complete: false, unreachable: ["log"] });
    http.log.down = false;
    const [p0] = http.partitions.values();
    if (p0 !== undefined) p0.state = "silent";
    expect(await codeOf(await patiently(http, http.admin(PATH)))).toBe("UNAVAILABLE");
    await http.log.write([callRecord({ ...KEY, method: "add" })]);
    const answer = (await (await patiently(http, http.admin(PATH))).json()) as Record<string, object>;
    expect(answer).toMatchObject({ call: { status: "success" }, complete: false, unreachable: ["p0"] });
    expect(answer["timeline"]).toHaveLength(3);
  });

  it("[CALL16] what it can't tell is an error", async () => {
    const { http } = setup();
    expect(await codeOf(await http.admin("calls/Counter/a/none"))).toBe("CALL_NOT_FOUND");
    expect(await codeOf(await http.admin("calls/Counter/a/a%20b"))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await http.admin("calls/Counter/%2F/a"))).toBe("INVALID_ID");
    for (const query of ["depth=0", "depth=21", "limit=0", "limit=1001", "deep=1"]) {
      expect(await codeOf(await http.admin(`${PATH}?${query}`)), query).toBe("INVALID_ARGUMENT");
    }
    expect((await http.fetch(`/admin/v1/${PATH}`)).status).toBe(401);
  });
});
