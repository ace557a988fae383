import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CODES, isErrorCode } from "../../src/errors/codes.ts";
import { BEARER, httpFixture } from "./http-fixture.ts";

const verb = fc.constantFrom("GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH");
const name = fc.oneof(
  fc.constantFrom(
    "Counter",
    "Patient",
    "Nope",
    "add",
    "get",
    "__proto__",
    "constructor",
    "shard#5/x",
    "partition#p1/x",
  ),
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.toWellFormed()),
);
const segment = fc.oneof(
  { weight: 4, arbitrary: name.map(encodeURIComponent) },
  { weight: 1, arbitrary: fc.stringMatching(/^[%A-Za-z0-9./#?-]{0,8}$/) },
);
const prefix = fc.constantFrom(
  "/api/v1/objects/call/Counter/x/add",
  "/api/v1/objects/create/Counter/y",
  "/api/v1/objects/call/Counter",
  "/api/v1/objects/create",
  "/api/v1/objects/delete",
  "/api/v1/objects/batch",
  "/api/v1/objects/calls",
  "/admin/v1/shards",
  "/admin/v1/calls",
  "/admin/v1/calls/cleanup",
  "/admin/v1/objects",
  "/admin/v1/partitions",
  "/admin/v1/partitions/p0",
  "/admin/v1/shards/3",
  "/admin/v1/shards/3/move",
  "/admin/v1/shards/3/pin",
  "/admin/v1/shard-count",
  "/admin/v1/rebalance",
  "/admin/v1/moves",
  "/admin/v1/migrations",
  "/admin/v1/audit",
  "/admin/v1",
  "/healthz",
  "",
);
const query = fc.dictionary(fc.constantFrom("limit", "shard", "cursor", "type", "active", "x"), fc.string(), {
  maxKeys: 2,
});
const path = fc
  .tuple(prefix, fc.oneof(fc.constant([]), fc.array(segment, { maxLength: 4 })), query)
  .map(([start, segments, asked]) => `${[start, ...segments].join("/")}?${new URLSearchParams(asked)}`);
const item = fc.record(
  {
    type: fc.oneof(name, fc.constant("Counter")),
    id: name,
    method: fc.constantFrom("add", "get", "nope"),
    request: fc.jsonValue(),
    callId: fc.oneof(fc.string(), fc.constant("k")),
    expiresIn: fc.oneof(fc.integer(), fc.double()),
    log: fc.constantFrom("write-ahead", "write-behind", "x"),
  },
  { requiredKeys: [] },
);
const order = fc.record(
  {
    name: fc.oneof(fc.constantFrom("p2", "p3", "__proto__"), fc.string()),
    weight: fc.oneof(fc.double(), fc.constantFrom(1, 2)),
    labels: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
    location: fc.constantFrom("weur", "W"),
  },
  { requiredKeys: [] },
);
const placing = fc.record(
  {
    partition: fc.constantFrom("p0", "p1", "p2", ""),
    count: fc.constantFrom(8, 16, 32, 12, 0),
    strategy: fc.constantFrom("count", "load", "x"),
    dryRun: fc.boolean(),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.oneof(order, placing).map((value) => JSON.stringify(value)),
  fc.constant(""),
  fc.string(),
  fc.json(),
  fc.uint8Array({ maxLength: 40 }),
  fc.jsonValue().map((request) => JSON.stringify({ request })),
  fc.array(fc.oneof(item, fc.jsonValue()), { maxLength: 5 }).map((calls) => JSON.stringify({ calls })),
  fc
    .record({ olderThan: fc.string(), dryRun: fc.boolean() }, { requiredKeys: [] })
    .map((value) => JSON.stringify(value)),
);
const headers = fc.dictionary(
  fc.constantFrom(
    "idempotency-key",
    "edgeverse-timeout",
    "edgeverse-expires-in",
    "edgeverse-log",
    "prefer",
    "traceparent",
    "x-request-id",
    "content-type",
    "authorization",
  ),
  fc.oneof(
    fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
    fc.constantFrom("1", "k", '"k"', "before", "respond-async", BEARER.authorization, "a/b"),
  ),
  { maxKeys: 4 },
);

describe("any request", () => {
  it("[HTTP2] is answered by what is documented: never a crash, always a known code", async () => {
    const answers = fc.record({ verb, path, body, headers });
    const http = httpFixture();
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(answers, async (sent) => {
        const bare = sent.verb === "GET" || sent.verb === "HEAD";
        const init = {
          method: sent.verb,
          headers: { ...BEARER, ...sent.headers },
          ...(bare ? {} : { body: sent.body }),
        };
        const response = await http.fetch(sent.path, init as RequestInit);
        expect(http.errors).toEqual([]);
        expect(response.headers.get("x-request-id")).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
        expect(response.status).toBeLessThan(500);
        seen.add(response.status);
        if (sent.verb === "HEAD" || response.status < 400) return;
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        const { code, status } = (await response.json()) as { code: string; status: number };
        expect(isErrorCode(code) && CODES[code].status).toBe(status);
      }),
      { numRuns: 2_000 },
    );
    expect([...seen]).toEqual(expect.arrayContaining([200, 400, 404, 405]));
  });

  it("[ID1] every valid id arrives as it was sent", async () => {
    const id = fc
      .string({ unit: "binary", minLength: 1, maxLength: 40 })
      .filter((text) => text.isWellFormed() && !/[/\p{Cc}]/u.test(text) && text !== "." && text !== "..");
    await fc.assert(
      fc.asyncProperty(id, fc.jsonValue({ maxDepth: 3 }), async (sent, request) => {
        const http = httpFixture({ names: ["p0"] });
        const response = await http.post(`/api/v1/objects/call/Counter/${encodeURIComponent(sent)}/add`, { request });
        expect(response.status).toBe(200);
        const message = http.partitions.get("p0")?.messages[0];
        expect(message?.id).toBe(sent);
        expect(JSON.parse(message?.request ?? "null")).toEqual(JSON.parse(JSON.stringify(request)));
      }),
      { numRuns: 300 },
    );
  });
});
