import { describe, expect, it } from "vitest";
import { Registry } from "../../src/object/registry.ts";
import { Lot } from "../partition/lot-fixture.ts";
import type { FakePartition } from "./fake-partition.ts";
import { BEARER, codeOf, httpFixture } from "./http-fixture.ts";

const lots = () => httpFixture({ registry: new Registry([Lot]) });
const SETTLED = { changed: null, waiting: false };
const partition = (http: ReturnType<typeof lots>, name: string) => http.partitions.get(name) as FakePartition;

describe("GET /api/v1/objects/query/{type}", () => {
  it("[IDX2] answers with the objects of all partitions, in one order", async () => {
    const http = lots();
    partition(http, "p0").found = {
      kind: "page",
      places: [
        [2, 1, "a"],
        [2, 5, "c"],
      ],
      next: null,
      settled: SETTLED,
    };
    partition(http, "p1").found = { kind: "page", places: [[2, 3, "b"]], next: null, settled: SETTLED };
    const response = await http.fetch("/api/v1/objects/query/Lot?index=price", { headers: BEARER });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      objects: [
        { id: "a", value: 1 },
        { id: "b", value: 3 },
        { id: "c", value: 5 },
      ],
      unreachable: [],
    });
  });

  it.each([
    ["value=true", { rank: 1, value: 1 }],
    ["value=12", { rank: 2, value: 12 }],
    ['value="12"', { rank: 3, value: "12" }],
    ["value=red", { rank: 3, value: "red" }],
    ["value=null", { rank: 0, value: 0 }],
    ["from=1&to=2.5", { rank: 2, from: 1, to: 2.5 }],
    ["prefix=12", { rank: 3, from: "12", to: "13" }],
    ["", {}],
  ])("[IDX2] reads a value as JSON, or else as a text: %s", async (query, range) => {
    const http = lots();
    await http.fetch(`/api/v1/objects/query/Lot?index=price&order=desc&limit=7&${query}`, { headers: BEARER });
    expect(partition(http, "p1").queries).toEqual([
      { type: "Lot", version: expect.any(String), index: "price", range, descending: true, limit: 7 },
    ]);
  });

  it("[IDX2] goes on at the cursor, as far as every partition has looked", async () => {
    const http = lots();
    partition(http, "p0").found = { kind: "page", places: [[2, 1, "a"]], next: [2, 2, "z"], settled: SETTLED };
    partition(http, "p1").found = {
      kind: "page",
      places: [
        [2, 2, "b"],
        [2, 3, "c"],
      ],
      next: null,
      settled: SETTLED,
    };
    const first = await http.fetch("/api/v1/objects/query/Lot?index=price", { headers: BEARER });
    const { objects, cursor } = (await first.json()) as { objects: { id: string }[]; cursor: string };
    expect(objects.map(({ id }) => id)).toEqual(["a", "b"]);
    await http.fetch(`/api/v1/objects/query/Lot?index=price&cursor=${cursor}`, { headers: BEARER });
    expect(partition(http, "p0").queries[1]).toMatchObject({ after: [2, 2, "z"] });
  });

  it("[IDX4] says that an index is being built", async () => {
    const http = lots();
    partition(http, "p1").found = { kind: "building" };
    const response = await http.fetch("/api/v1/objects/query/Lot?index=price", { headers: BEARER });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ code: "UNAVAILABLE", reason: "INDEX_BUILDING", retryable: true });
  });

  it("[IDX2] [ACC3] is for operators, with whatever token, where nothing lets clients", async () => {
    const http = httpFixture({ registry: new Registry([Lot]), viewerToken: "viewer" });
    const path = "/api/v1/objects/query/Lot?index=price";
    expect(await codeOf(await http.fetch(path))).toBe("ACCESS_DENIED");
    expect(await codeOf(await http.fetch(path, { headers: { authorization: "Bearer no" } }))).toBe("ACCESS_DENIED");
    expect((await http.fetch(path, { headers: { authorization: "Bearer viewer" } })).status).toBe(200);
    expect(partition(http, "p0").queries).toHaveLength(1);
  });

  it.each([
    ["Lot", "INVALID_ARGUMENT"],
    ["Lot?index=nothing", "INVALID_ARGUMENT"],
    ["Lot?index=price&value=1&prefix=a", "INVALID_ARGUMENT"],
    ["Lot?index=price&limit=0", "INVALID_ARGUMENT"],
    ["Lot?index=price&cursor=x", "INVALID_ARGUMENT"],
    ["Lot?index=price&more=1", "INVALID_ARGUMENT"],
    ["Lot?index=price&value=[1]", "INVALID_ARGUMENT"],
    ["Other?index=price", "TYPE_NOT_FOUND"],
    ["1?index=price", "INVALID_ID"],
  ])("[IDX2] refuses %s with %s", async (query, code) => {
    expect(await codeOf(await lots().fetch(`/api/v1/objects/query/${query}`, { headers: BEARER }))).toBe(code);
  });
});
