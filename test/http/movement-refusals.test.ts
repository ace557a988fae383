import { describe, expect, it } from "vitest";
import type { AdminCommand, Operator } from "../../src/coordinator/commands.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CoordinatorClient } from "../../src/http/ports.ts";
import { BEARER, codeOf, type HttpFixture, httpFixture, patiently, silentCoordinator } from "./http-fixture.ts";

/** Routes that give a command, and the command. */
const commands: [method: string, path: string, body: unknown, command: AdminCommand][] = [
  [
    ...(["POST", "partitions", { name: "p2", weight: 0.5, location: "weur" }] as const),
    { kind: "add-partition", name: "p2", weight: 0.5, labels: {}, location: "weur", dryRun: false },
  ],
  [
    "PATCH",
    "partitions/p0",
    { labels: { a: "b" } },
    { kind: "change-partition", name: "p0", labels: { a: "b" }, dryRun: false },
  ],
  ["DELETE", "partitions/p0", undefined, { kind: "remove-partition", name: "p0" }],
  ["POST", "partitions/p0/drain", undefined, { kind: "drain", name: "p0", dryRun: false }],
  ["POST", "partitions/p0/cordon", undefined, { kind: "cordon", name: "p0", dryRun: false }],
  ["POST", "partitions/p0/uncordon", { dryRun: true }, { kind: "uncordon", name: "p0", dryRun: true }],
  ["POST", "shards/1/move", { partition: "p1" }, { kind: "move-shard", shard: 1, to: "p1" }],
  ["POST", "moves/7/cancel", { force: true }, { kind: "cancel-move", move: 7, force: true }],
  ["POST", "moves/7/cancel", undefined, { kind: "cancel-move", move: 7, force: false }],
  ["POST", "shards/0/pin", { partition: "p1" }, { kind: "pin-shard", shard: 0, partition: "p1" }],
  ["POST", "shards/15/unpin", undefined, { kind: "unpin-shard", shard: 15 }],
  ["POST", "rebalance", { strategy: "load" }, { kind: "rebalance", strategy: "load", dryRun: false }],
  ["POST", "shard-count", { count: 32, dryRun: true }, { kind: "shard-count", count: 32, dryRun: true }],
];
const questions = ["shard-count", "migrations", "audit"];

const send = (http: HttpFixture, method: string, path: string, body?: unknown) =>
  http.fetch(`/admin/v1/${path}`, {
    method,
    headers: { ...BEARER, "x-request-id": "r-1" },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

const withCoordinator = (answers: Partial<CoordinatorClient>) =>
  httpFixture({ coordinator: silentCoordinator(answers) });

describe("what the coordinator refuses", () => {
  it.each(commands)("[MEM1] [ACC3] %s %s passes the command, the operator and the refusal on", async (...row) => {
    const [method, path, body, command] = row;
    const heard: [AdminCommand, Operator][] = [];
    const error = new EdgeverseError("CONFLICT", "not now", {
      retryable: true,
      retryAfter: 3,
      details: { move: 7 },
    });
    const http = withCoordinator({
      execute: async (order, operator) => {
        heard.push([order, operator]);
        return { ok: false, error: error.toWire() };
      },
    });
    const response = await send(http, method, path, body);
    expect(response.headers.get("retry-after")).toBe("3");
    expect(await response.json()).toMatchObject({
      status: 409,
      code: "CONFLICT",
      detail: "not now",
      details: { move: 7 },
      retryable: true,
    });
    expect(heard).toEqual([[command, { requestId: "r-1", actor: "admin token a81e611a" }]]);
  });

  it("[MEM1] is answered with its own code, whichever it is", async () => {
    for (const code of ["NOT_FOUND", "CONFLICT", "INVALID_ARGUMENT", "UNAVAILABLE", "INTERNAL"] as const) {
      const error = new EdgeverseError(code, "so it is").toWire();
      const http = withCoordinator({ execute: async () => ({ ok: false, error }) });
      expect(await codeOf(await send(http, "POST", "partitions/p0/drain"))).toBe(code);
    }
  });
});

describe("a coordinator that is silent", () => {
  it.each(commands)("[OWN3] %s %s is UNAVAILABLE in the end", async (method, path, body) => {
    const http = withCoordinator({});
    expect(await codeOf(await patiently(http, send(http, method, path, body)))).toBe("UNAVAILABLE");
  });

  it.each(questions)("[OWN3] GET %s is UNAVAILABLE in the end", async (path) => {
    const http = withCoordinator({});
    expect(await codeOf(await patiently(http, http.admin(path)))).toBe("UNAVAILABLE");
  });

  it("[OWN3] [MAP4] the other views go on without it, and say what they don't know", async () => {
    const http = withCoordinator({});
    const view = async (path: string) => (await patiently(http, http.admin(path))).json();
    const unknown = {
      weight: null,
      labels: null,
      state: null,
      location: null,
      assignedShards: null,
      incoming: null,
      outgoing: null,
      drained: null,
      since: null,
    };
    expect(await view("partitions")).toMatchObject({
      partitions: [
        { name: "p0", reachable: true, openCalls: 2, ...unknown },
        { name: "p1", ...unknown },
      ],
    });
    expect(await view("partitions/p1")).toMatchObject({ name: "p1", reachable: true, ...unknown });
    expect(await view("shards/3")).toMatchObject({ why: "base map", pinned: null, pinnedTo: null, moving: null });
    expect(await view("objects/Counter/x")).toMatchObject({ exists: false, decidedAt: null });
    expect(await view("cluster")).toMatchObject({
      coordinator: { reachable: false },
      moves: null,
      shardCount: null,
      partitions: [{ name: "p0", weight: 1 }, { name: "p1" }],
    });
  });
});

describe("requests that don't fit", () => {
  const long = "x".repeat(64);
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`l${index}`, ""]));

  it.each([
    ["POST", "partitions", { name: "" }],
    ["POST", "partitions", { name: "-x" }],
    ["POST", "partitions", { name: long }],
    ["POST", "partitions", { name: "x", location: "WEUR" }],
    ["POST", "partitions", { name: "x", location: "mars" }],
    ["POST", "partitions", '{"name":"x","weight":1e999}'],
    ["PATCH", "partitions/p0", { weight: 0 }],
    ["PATCH", "partitions/p0", { weight: -1 }],
    ["PATCH", "partitions/p0", { weight: 1_000.1 }],
    ["PATCH", "partitions/p0", { weight: "1" }],
    ["PATCH", "partitions/p0", { weight: null }],
    ["PATCH", "partitions/p0", { labels: { "a b": "c" } }],
    ["PATCH", "partitions/p0", { labels: { [long]: "c" } }],
    ["PATCH", "partitions/p0", { labels: { a: long } }],
    ["PATCH", "partitions/p0", { labels: many }],
    ["PATCH", "partitions/p0", { labels: [] }],
    ["PATCH", "partitions/p0", { labels: { a: 1 } }],
    ["PATCH", "partitions/p0", { labels: "a" }],
    ["PATCH", "partitions/p0", '{"labels":{"__proto__":"x"}}'],
    ["PATCH", "partitions/p0", { labels: { ".a": "b" } }],
    ["PATCH", "partitions/p0", { dryRun: true }],
    ["DELETE", "partitions/p0", { dryRun: true }],
    ["POST", "partitions/p0/drain", { force: true }],
    ["POST", "partitions/p0/cordon", "[]"],
    ["POST", "partitions/p0/uncordon", { dryRun: 1 }],
    ["POST", "partitions/p0/drain?dryRun=true", undefined],
    ["DELETE", "partitions/p0?dryRun=true", undefined],
    ["POST", "partitions?dryRun=true", { name: "p2" }],
    ["PATCH", "partitions/p0?dryRun=true", { weight: 2 }],
    ["POST", "rebalance?dryRun=true", undefined],
    ["POST", "shard-count?dryRun=true", { count: 32 }],
    ["POST", "shards/1/move?dryRun=true", { partition: "p1" }],
    ["POST", "shards/1/pin?partition=p1", undefined],
    ["POST", "shards/1/unpin", { partition: "p1" }],
    ["POST", "calls/cleanup?dryRun=true", undefined],
    ["POST", "calls/wake?dryRun=true", undefined],
    ["PATCH", "partitions/p0", { name: "p3" }],
    ["PATCH", "partitions/p0", {}],
    ["POST", "shards/1/move", { partition: "a/b" }],
    ["POST", "shards/1/move", { partition: "p1", to: "p1" }],
    ["POST", "shards/1/pin", { partition: null }],
    ["POST", "rebalance", { dryRun: "yes" }],
    ["POST", "rebalance", { strategy: "off" }],
    ["POST", "shard-count", {}],
    ["POST", "shard-count", { count: -8 }],
    ["POST", "shard-count", { count: 32, dryRun: 1 }],
    ["POST", "shard-count", { count: 32, force: true }],
  ])("[MEM1] %s %s %j is refused before the coordinator hears of it", async (method, path, body) => {
    expect(await codeOf(await send(withCoordinator({}), method, path, body))).toBe("INVALID_ARGUMENT");
  });

  it("[MEM1] JSON that is none is refused, also where no body is wanted", async () => {
    for (const path of ["partitions/p0/drain", "shards/1/unpin", "rebalance"]) {
      expect(await codeOf(await send(withCoordinator({}), "POST", path, '{"dryRun":tru'))).toBe("INVALID_JSON");
    }
  });

  it("[MEM1] a label that does not fit is named", async () => {
    const response = await send(httpFixture(), "PATCH", "partitions/p0", { labels: { ok: "x", "a b": "c" } });
    expect(((await response.json()) as { detail: string }).detail).toContain(
      'has the label "a b", which must be letters',
    );
  });

  it.each([
    "active=yes",
    "shard=-1",
    "shard=65536",
    "limit=0",
    "limit=1001",
    "cursor=x",
    "cursor=LTE",
    "before=3",
    "x=1",
  ])("[HTTP11] moves?%s is refused", async (query) => {
    expect(await codeOf(await httpFixture().admin(`moves?${query}`))).toBe("INVALID_ARGUMENT");
  });

  it.each(["limit=0", "limit=1001", "cursor=x", "cursor=LTE", "before=3", "actor=me"])(
    "[HTTP11] audit?%s is refused",
    async (query) => {
      expect(await codeOf(await httpFixture().admin(`audit?${query}`))).toBe("INVALID_ARGUMENT");
    },
  );

  it("[MEM1] the largest that fit do", async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [`${index}_.-`.padEnd(63, "x"), "y".repeat(63)]),
    );
    const body = { name: "x".repeat(63), weight: 1_000, labels, location: "apac-ne" };
    const response = await send(httpFixture(), "POST", "partitions", body);
    expect([response.status, await response.json()]).toMatchObject([201, body]);
  });
});

describe("other HTTP methods", () => {
  it.each([
    ["PUT", "partitions", "GET, HEAD, POST"],
    ["POST", "partitions/p0", "GET, HEAD, PATCH, DELETE"],
    ["GET", "partitions/p0/drain", "POST"],
    ["DELETE", "shards/1", "GET, HEAD"],
    ["GET", "shards/1/pin", "POST"],
    ["POST", "migrations", "GET, HEAD"],
    ["GET", "rebalance", "POST"],
    ["PATCH", "shard-count", "POST, GET, HEAD"],
    ["DELETE", "audit", "GET, HEAD"],
  ])("[HTTP4] %s %s is METHOD_NOT_ALLOWED", async (method, path, allow) => {
    const response = await send(httpFixture(), method, path);
    expect(response.headers.get("allow")?.split(", ").sort()).toEqual(allow.split(", ").sort());
    expect(await codeOf(response)).toBe("METHOD_NOT_ALLOWED");
  });
});
