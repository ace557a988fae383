import { method, type ObjectClass, VirtualObject } from "edgeverse";
import { SqliteStorage, TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { droppedKeys } from "../../src/object/dropped-keys.ts";

/** A class of type "Auction" with this state, whose methods put a state in the place of the last and read it. */
function auction(state: z.ZodType, statics: { version?: number; upgrade?: (old: unknown) => unknown } = {}) {
  class Auction extends VirtualObject<unknown> {
    static override readonly type = "Auction";
    static override readonly state = state;
    static override readonly version = statics.version ?? 1;
    static override readonly methods = {
      set: method({ request: z.unknown() }),
      get: method({ readonly: true }),
      touch: method(),
    };
    static override upgrade(old: unknown) {
      return statics.upgrade?.(old) ?? old;
    }
    static deleted = 0;
    set(next: unknown) {
      this.state = next;
    }
    get() {
      return this.state;
    }
    touch() {
      this.store.put("touched", true);
    }
    protected override onDelete() {
      Auction.deleted++;
    }
  }
  return Auction;
}

const storage = new SqliteStorage();
/** A deployment of `served` over what the ones before it stored. */
const deploy = (served: ObjectClass, over = storage) =>
  new TestCluster({ objects: [served], storageOf: (name) => (name === "p0" ? over : new SqliteStorage()) });
const stored = () => storage.query<{ state: string }>("SELECT state FROM objects").map((row) => JSON.parse(row.state));

const loose = z.looseObject({});

describe("a state of which the schema would drop something", () => {
  test("[OBJ4] a field that was renamed under the same version is not forgotten: calls are refused until code keeps it", async () => {
    await deploy(auction(loose)).call("Auction", "a", "set", { price: 5, bids: [{ by: "ann", at: 1 }, { by: "bob" }] });
    const renamed = z.object({
      highest: z.number().default(0),
      bids: z.array(z.object({ by: z.string() })).default([]),
    });
    const broken = deploy(auction(renamed));
    for (const name of ["get", "touch", "set"]) {
      await expect(broken.call("Auction", "a", name, name === "set" ? {} : undefined)).rejects.toMatchObject({
        code: "STATE_INVALID",
        message: expect.stringMatching(/would drop price, bids\.\[\]\.at.*version.*upgrade/),
        details: { dropped: ["price", "bids.[].at"] },
      });
    }
    expect(stored()).toEqual([{ price: 5, bids: [{ by: "ann", at: 1 }, { by: "bob" }] }]);

    const upgrade = (old: unknown) => ({ ...(old as object), highest: (old as { price: number }).price });
    const mended = deploy(auction(renamed, { version: 2, upgrade }));
    expect(await mended.call("Auction", "a", "get")).toEqual({ highest: 5, bids: [{ by: "ann" }, { by: "bob" }] });
    await mended.call("Auction", "a", "touch");
    await mended.call("Auction", "a", "set", { highest: 6, bids: [] });
    expect(stored()).toEqual([{ highest: 6, bids: [] }]);
  });

  test("[LIFE3] it can be deleted", async () => {
    const over = new SqliteStorage();
    await deploy(auction(loose), over).call("Auction", "a", "set", { price: 5 });
    const served = auction(z.object({ other: z.number().default(0) }));
    const cluster = deploy(served, over);
    await expect(cluster.call("Auction", "a", "get")).rejects.toMatchObject({ code: "STATE_INVALID" });
    expect(await cluster.lifecycle("delete", "Auction", "a")).toEqual({ existed: true });
    expect([over.query("SELECT id FROM objects"), served.deleted]).toEqual([[], 0]);
    expect(await cluster.call("Auction", "a", "get")).toEqual({ other: 0 });
  });

  test("[OBJ4] a turn that leaves something the schema would drop is rolled back", async () => {
    const state = z.object({ price: z.number().default(0), item: z.object({ name: z.string() }).optional() });
    const cluster = deploy(auction(state), new SqliteStorage());
    await cluster.call("Auction", "w", "set", { price: 1 });
    const unknown = { price: 2, pirce: 3, item: { name: "vase", colour: "blue" } };
    await expect(cluster.call("Auction", "w", "set", unknown)).rejects.toMatchObject({
      code: "STATE_INVALID",
      message: expect.stringContaining("would drop pirce, item.colour"),
      details: { dropped: ["pirce", "item.colour"] },
    });
    expect(await cluster.call("Auction", "w", "get")).toEqual({ price: 1 });
    await cluster.call("Auction", "w", "set", { price: 4, item: { name: "vase" }, pirce: undefined });
    expect(await cluster.call("Auction", "w", "get")).toEqual({ price: 4, item: { name: "vase" } });
  });

  test.each<[string, z.ZodType]>([
    ["loose", z.looseObject({ a: z.number().optional() })],
    ["catchall", z.object({ a: z.number().default(0) }).catchall(z.unknown())],
    ["record", z.record(z.string(), z.unknown())],
    ["unknown", z.unknown()],
  ])("[OBJ4] a schema that keeps what it does not know drops nothing: %s", async (_, state) => {
    const over = new SqliteStorage();
    await deploy(auction(loose), over).call("Auction", "k", "set", { a: 1, b: { c: [1, { d: 2 }] } });
    const cluster = deploy(auction(state), over);
    expect(await cluster.call("Auction", "k", "get")).toEqual({ a: 1, b: { c: [1, { d: 2 }] } });
  });
});

describe("droppedKeys", () => {
  const kept = z.looseObject({});

  test("[OBJ4] names what a schema strips, and nothing else", () => {
    const state = z.object({
      a: z.number().default(1),
      list: z.array(z.union([z.object({ x: z.number() }), kept])).optional(),
      map: z.record(z.string(), z.object({ y: z.number() })).optional(),
      free: kept.optional(),
    });
    const of = (value: unknown) => droppedKeys(value, state.parse(value));
    expect(of({})).toEqual([]);
    expect(of({ a: 2, free: { any: { deep: 1 } }, map: { one: { y: 1 } } })).toEqual([]);
    expect(of({ map: { one: { y: 1, z: 2 } }, list: [{ x: 1 }, { x: 1, w: 2 }, { w: 3 }], b: null })).toEqual([
      "map.one.z",
      "list.[].w",
      "b",
    ]);
    expect(of(JSON.parse('{"__proto__": {"a": 1}, "toString": 1}'))).toEqual(["__proto__", "toString"]);
  });

  test("[OBJ4] names ten at most", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, index]));
    expect(droppedKeys(many, {})).toHaveLength(10);
    expect(droppedKeys({ map: { a: many, b: many } }, { map: { a: {}, b: {} } })).toHaveLength(10);
  });

  test("[OBJ4] finds nothing in a copy, and everything that was taken away", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }), fc.nat(4), (value, pick) => {
        const copy = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
        expect(droppedKeys(value, copy)).toEqual([]);
        const key = Object.keys(copy)[pick];
        if (key === undefined) return;
        delete copy[key];
        expect(droppedKeys({ in: [value] }, { in: [copy] })).toEqual([`in.[].${key}`]);
      }),
    );
  });
});

describe("a schema that puts something else in place of what is stored", () => {
  const item = z.object({ sku: z.string() });
  test.each([
    ["catch(undefined)", { part: { first: "ann" } }, z.string().optional().catch(undefined), "part"],
    ["catch([])", { part: [{ sku: 1 }] }, z.array(item).catch([]).default([]), "part.[]"],
    ["catch(null)", { part: { x: 1 } }, z.object({ x: z.string() }).nullable().catch(null).default(null), "part"],
    [
      "a transform to nothing",
      { part: { x: 1 } },
      z
        .any()
        .transform(() => undefined)
        .optional(),
      "part",
    ],
    [
      "a shorter list",
      { part: [1, 2, 3] },
      z
        .array(z.any())
        .default([])
        .transform((list) => list.slice(0, 1)),
      "part.[]",
    ],
    [
      "a number",
      { part: { x: 1 } },
      z
        .any()
        .transform((part) => (part === undefined ? 0 : 1))
        .optional(),
      "part",
    ],
  ])("[OBJ4] is refused: %s", async (_, before, part, path) => {
    const own = new SqliteStorage();
    await deploy(auction(loose), own).call("Auction", "a", "set", before);
    const refused = deploy(auction(z.object({ part })), own).call("Auction", "a", "touch");
    await expect(refused).rejects.toMatchObject({ code: "STATE_INVALID", details: { dropped: [path] } });
    expect(own.query<{ state: string }>("SELECT state FROM objects").map((row) => JSON.parse(row.state))).toEqual([
      before,
    ]);
  });

  test("[OBJ4] a state is checked as it will be read: without the members that are undefined", async () => {
    const own = new SqliteStorage();
    const schema = z.object({ items: z.record(z.string(), z.object({ payload: z.unknown() })).default({}) });
    class Inbox extends VirtualObject.withState(schema) {
      static override readonly type = "Inbox";
      static override readonly methods = {
        put: method({ request: z.object({ payload: z.unknown().optional() }) }),
        size: method(),
      };
      put({ payload }: { payload?: unknown }) {
        this.state.items["x"] = { payload };
      }
      size() {
        return Object.keys(this.state.items).length;
      }
    }
    // What the row would be could not be read again.
    await expect(deploy(Inbox, own).call("Inbox", "a", "put", {})).rejects.toMatchObject({ code: "STATE_INVALID" });
    expect(await deploy(Inbox, own).call("Inbox", "a", "size")).toBe(0);
  });
});
