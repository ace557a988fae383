import { describe, expect, it } from "vitest";
import { codeOf, type HttpFixture, httpFixture, patiently } from "./http-fixture.ts";

interface Page {
  readonly objects: { type: string; id: string; shard: number | null; partition: string }[];
  readonly cursor?: string;
}

async function page(http: HttpFixture, query: string): Promise<Page> {
  const response = await http.admin(`objects?${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

function stocked(): HttpFixture {
  const http = httpFixture({ names: ["p0", "p1", "p2"] });
  for (const [name, count] of [
    ["p0", 5],
    ["p1", 0],
    ["p2", 4],
  ] as const) {
    for (let index = 0; index < count; index++) {
      const type = index % 2 === 0 ? "Even" : "Odd";
      http.partitions.get(name)?.stored.push({ type, id: `${name}-ü${index}`, shard: index === 4 ? -1 : index });
    }
  }
  return http;
}

describe("listing objects", () => {
  it.each([1, 2, 3, 4, 5, 9, 100])("[HTTP11] walks all partitions in pages of %i", async (limit) => {
    const http = stocked();
    const seen: string[] = [];
    let cursor: string | undefined = "";
    for (let pages = 0; cursor !== undefined; pages++) {
      expect(pages).toBeLessThan(20);
      const got: Page = await page(http, `limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`);
      expect(got.objects.length).toBeLessThanOrEqual(limit);
      seen.push(...got.objects.map(({ id }) => id));
      cursor = got.cursor;
    }
    expect(seen).toEqual([...[0, 1, 2, 3, 4].map((n) => `p0-ü${n}`), ...[0, 1, 2, 3].map((n) => `p2-ü${n}`)]);
  });

  it("[HTTP11] filters by type and by shard; an object fixed to a partition has no shard", async () => {
    const http = stocked();
    expect((await page(http, "type=Odd")).objects.map(({ id }) => id)).toEqual(["p0-ü1", "p0-ü3", "p2-ü1", "p2-ü3"]);
    const owner = http.parts.router.map.owner(2);
    const expected = owner === "p1" ? [] : [{ type: "Even", id: `${owner}-ü2`, shard: 2, partition: owner }];
    expect((await page(http, "shard=2")).objects).toEqual(expected);
    expect((await page(http, "")).objects[4]).toEqual({ type: "Even", id: "p0-ü4", shard: null, partition: "p0" });
  });

  it.each([
    "limit=0",
    "limit=1001",
    "shard=",
    "shard=-1",
    "shard=x",
    "cursor=x",
    "cursor=%FF",
    "cursor=e30",
    `cursor=${btoa('{"partition":"p9"}')}`,
    `cursor=${btoa('{"partition":"p0","after":{"position":-5,"type":"","id":""}}')}`,
    "x=1",
  ])("[HTTP11] refuses ?%s", async (query) => {
    expect(await codeOf(await httpFixture().admin(`objects?${query}`))).toBe("INVALID_ARGUMENT");
  });

  it("[HTTP11] knows no shard beyond the last", async () => {
    expect(await codeOf(await httpFixture().admin("objects?shard=16"))).toBe("NOT_FOUND");
  });

  it("[HTTP11] says which partition it can't list", async () => {
    const http = stocked();
    const p2 = http.partitions.get("p2");
    if (p2 !== undefined) p2.state = "silent";
    const problem = (await (await patiently(http, http.admin("objects"))).json()) as { code: string; detail: string };
    expect(problem).toMatchObject({ code: "UNAVAILABLE" });
    expect(problem.detail).toContain("p2");
  });
});

describe("one object", () => {
  it("[MAP4] explains where it is and why", async () => {
    const http = httpFixture({ names: ["p0"] });
    http.partitions.get("p0")?.created.add("foobar");
    expect(await (await http.admin("objects/Counter/foobar")).json()).toEqual({
      type: "Counter",
      id: "foobar",
      hash: "bf9cf968",
      shard: 3,
      partition: "p0",
      epoch: 1,
      exists: true,
      inMemory: false,
      why: "base map",
      decidedAt: null,
      since: new Date(1_800_000_000_000).toISOString(),
      location: null,
    });
  });

  it("[ID4] [MAP4] one fixed to a partition has no hash and no shard", async () => {
    const http = httpFixture();
    expect(await (await http.admin("objects/Counter/partition%23p1%2Fx")).json()).toMatchObject({
      id: "partition#p1/x",
      hash: null,
      shard: null,
      partition: "p1",
      exists: false,
      why: "fixed by the id",
    });
    expect(await codeOf(await http.admin("objects/Counter/partition%23p9%2Fx"))).toBe("INVALID_ID");
    expect(await codeOf(await http.admin("objects/a-b/x"))).toBe("INVALID_ID");
  });
});
