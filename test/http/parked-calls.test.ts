import { describe, expect, it } from "vitest";
import { callRecord } from "../support/call-records.ts";
import { BEARER, codeOf, type HttpFixture, httpFixture, patiently } from "./http-fixture.ts";

const error = { code: "UNAVAILABLE", message: "it ended the process", retryable: false } as const;

function park({ partitions }: HttpFixture, partition: string, callId: string, changes = {}): void {
  const record = callRecord({
    type: "Counter",
    id: `${partition}-1`,
    callId,
    status: "parked",
    error,
    response: null,
    finishedAt: null,
    ...changes,
  });
  partitions.get(partition)?.records.set(`${record.type}/${record.id}/${callId}`, record);
}

interface Page {
  readonly calls: { readonly callId: string; readonly status: string }[];
  readonly unreachable: string[];
  readonly cursor?: string;
}

async function page(http: HttpFixture, query = ""): Promise<Page> {
  return (await (await http.admin(`calls?status=parked${query}`)).json()) as Page;
}

const names = ({ calls }: Page) => calls.map(({ callId }) => callId);

describe("parked calls", () => {
  it("[CALL12] are listed by their owners, in a cluster without a log as well", async () => {
    const http = httpFixture({ log: undefined });
    park(http, "p0", "a");
    park(http, "p1", "b", { request: '{"n":2}' });
    const { calls, ...rest } = await page(http);
    expect(calls).toMatchObject([
      { callId: "a", status: "parked", type: "Counter", id: "p0-1", error: { code: "UNAVAILABLE" }, attempts: 1 },
      { callId: "b", request: { n: 2 } },
    ]);
    expect(calls[0]).not.toHaveProperty("seq");
    expect(rest).toEqual({ unreachable: [] });
  });

  it("[CALL12][HTTP11] are listed page by page over the partitions", async () => {
    const http = httpFixture();
    for (const callId of ["a", "b", "c"]) park(http, "p0", callId);
    for (const callId of ["d", "e"]) park(http, "p1", callId);
    const first = await page(http, "&limit=2");
    expect(names(first)).toEqual(["a", "b"]);
    const second = await page(http, `&limit=2&cursor=${first.cursor}`);
    expect(names(second)).toEqual(["c", "d"]);
    const third = await page(http, `&limit=2&cursor=${second.cursor}`);
    expect(names(third)).toEqual(["e"]);
    expect(third).not.toHaveProperty("cursor");
    expect(names(await page(http, "&type=Other"))).toEqual([]);
    expect(await codeOf(await http.admin("calls?status=parked&cursor=LTE"))).toBe("INVALID_ARGUMENT");
  });

  it("[CALL12] are asked for from as many partitions as one page may cost", async () => {
    const partitions = Array.from({ length: 70 }, (_, index) => `p${index}`);
    const http = httpFixture({ names: partitions, shards: 128 });
    park(http, "p69", "last");
    const found: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined, more = true; more; pages++) {
      const next: Page = await page(http, cursor === undefined ? "" : `&cursor=${cursor}`);
      found.push(...names(next));
      cursor = next.cursor;
      more = cursor !== undefined;
    }
    expect([found, pages]).toEqual([["last"], 3]);
  });

  it("[CALL12][HTTP11] of a silent partition are not listed, and it is named", async () => {
    const http = httpFixture();
    park(http, "p0", "a");
    park(http, "p1", "b");
    (http.partitions.get("p0") as { state: string }).state = "silent";
    const first = (await (await patiently(http, http.admin("calls?status=parked"))).json()) as Page;
    expect(first).toMatchObject({ calls: [], unreachable: ["p0"] });
    expect(names(await page(http, `&cursor=${first.cursor}`))).toEqual(["b"]);
    (http.partitions.get("p0") as { state: string }).state = "down";
    expect(await page(http)).toMatchObject({ calls: [{ callId: "b" }], unreachable: ["p0"] });
  });

  it.each([
    ["retry", "retry-call", { status: "pending" }],
    ["fail", "fail-call", { status: "failed", error: { code: "UNAVAILABLE" } }],
  ])("[CALL12] an operator can %s one, and it is audited", async (name, command, becomes) => {
    const http = httpFixture();
    const owner = http.parts.router.owner({ type: "T", id: "visits" });
    park(http, owner, "k/1", { id: "visits" });
    const decide = (callId: string) =>
      http.post(`/admin/v1/calls/Counter/visits/${encodeURIComponent(callId)}/${name}`, undefined, BEARER);
    const done = await decide("k/1");
    expect([done.status, await done.json()]).toMatchObject([200, { callId: "k/1", ...becomes }]);
    expect(await codeOf(await decide("k/1"))).toBe("CONFLICT");
    expect(await codeOf(await decide("none"))).toBe("CALL_NOT_FOUND");
    const audit = (await (await http.admin("audit")).json()) as { entries: unknown[] };
    expect(audit.entries).toMatchObject([
      { command, outcome: "CALL_NOT_FOUND", details: { type: "Counter", id: "visits", callId: "none" } },
      { command, outcome: "CONFLICT" },
      {
        command,
        outcome: "done",
        actor: "admin token a81e611a",
        details: { type: "Counter", id: "visits", callId: "k/1" },
      },
    ]);
  });

  it("[CALL12] a decision stands when the coordinator can't note it", async () => {
    const plain = httpFixture();
    const { coordinator } = plain.parts;
    const away = { ...coordinator, auditCall: () => Promise.reject(new Error("away")) };
    const http = httpFixture({ coordinator: away });
    park(http, http.parts.router.owner({ type: "T", id: "visits" }), "k", { id: "visits" });
    expect((await http.post("/admin/v1/calls/Counter/visits/k/retry", undefined, BEARER)).status).toBe(200);
    expect(http.errors).toHaveLength(1);
  });

  it("[CALL12][HTTP11] what could be ignored is refused", async () => {
    const http = httpFixture();
    const path = "/admin/v1/calls/Counter/visits/k/retry";
    expect(await codeOf(await http.post(`${path}?dryRun=true`, undefined, BEARER))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await http.post(path, { force: true }, BEARER))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await http.post("/admin/v1/calls/no-type/visits/k/retry", undefined, BEARER))).toBe(
      "INVALID_ID",
    );
    expect(await codeOf(await http.post(path))).toBe("UNAUTHENTICATED");
  });
});
