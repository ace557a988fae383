import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { placementOf } from "../../src/identity/object-id.ts";

class Line extends VirtualObject.withState(z.object({ count: z.number().default(0) })) {
  static override readonly type: string = "Line";
  static override readonly methods = {
    add: method(),
    get: method({ readonly: true }),
    addTo: method({ request: z.string() }),
  };
  static override readonly shardBy = (id: string) => {
    if (id === "thrown") throw new Error("no");
    return id === "numbers" ? (7 as unknown as string) : id.split(":")[0];
  };
  add() {
    return ++this.state.count;
  }
  get() {
    return this.state.count;
  }
  async addTo(other: string): Promise<number> {
    return this.object(Line, other).add();
  }
}

class Order extends Line {
  static override readonly type = "Order";
  static override readonly methods = { ...Line.methods, addAll: method({ request: z.array(z.string()) }) };
  async addAll(ids: string[]): Promise<number[]> {
    const lines = ids.map((id) => [Line, id] as const);
    return this.transact(lines, (...stubs) => Promise.all(stubs.map((line) => line.add())));
  }
}

class Customer extends Line {
  static override readonly type = "Customer";
  static override readonly shardBy = undefined as never;
}

const objects = [Line, Order, Customer];
const setup = () => new TestCluster({ objects, config: { shards: 64 }, partitions: 4 });
const customers = Array.from({ length: 30 }, (_, index) => `c${index}`);

describe("static shardBy", () => {
  test("[ID6] ids that give one text share a shard, across types, with what has that text as its id", async () => {
    const made = setup();
    const shards = new Set<unknown>();
    for (const customer of customers) {
      await made.call("Order", `${customer}:7`, "add");
      await made.call("Line", `${customer}:7:1`, "add");
      await made.call("Customer", customer, "add");
      const owner = made.ownerOf(Customer, customer);
      expect([made.ownerOf(Order, `${customer}:7`), made.ownerOf(Line, `${customer}:7:1`)]).toEqual([owner, owner]);
      const rows = made
        .storage(owner)
        .query("SELECT position FROM objects WHERE id LIKE ? OR id = ?", `${customer}:%`, customer);
      expect(new Set(rows.map(({ position }) => position)).size).toBe(1);
      expect(rows).toHaveLength(3);
      shards.add(rows[0]?.position);
    }
    expect(shards.size).toBe(customers.length);
  });

  test("[ID6] everything finds them: calls, reliable calls, batches, neighbours, looks, after a crash and a move", async () => {
    const made = setup();
    type Question = Parameters<typeof made.router.ask>[2];
    const ask = (object: { type: string; id: string }, question: Question) =>
      made.clock.until(made.router.ask(object, made.clock.now() + 1_000, question));
    for (const id of customers.map((customer) => `${customer}:1`)) {
      await made.call("Line", id, "add");
      await made.call("Line", id, "add", undefined, { callId: "k" });
      await made.call("Order", id, "addTo", `${id}:x`);
      const owner = made.ownerOf(Line, id);
      made.crash(owner);
      expect(await made.call("Line", id, "get")).toBe(2);
      const seen = { type: "Line", id };
      expect(await ask(seen, (client) => client.callRecord("Line", id, "k"))).toMatchObject({
        status: "success",
      });
      expect(await ask(seen, (client) => client.describe("Line", id))).toMatchObject({
        exists: true,
      });
    }
    const to = made.ownerOf(Line, "c1") === "p0" ? "p1" : "p0";
    await made.move(Line, "c1:1", { to });
    expect([made.ownerOf(Order, "c1:1"), made.ownerOf(Customer, "c1")]).toEqual([to, to]);
    expect(await made.call("Line", "c1:1", "add", undefined, { callId: "k" })).toBe(2);
    expect(await made.call("Line", "c1:1:x", "get")).toBe(1);
    const messages = customers.map((customer) => made.message("Line", `${customer}:1`, "get"));
    for (const reply of await made.clock.until(made.router.batch(messages)))
      expect(reply).toEqual({ kind: "response", response: "2" });
  });

  test("[ID6] [TX1] objects that it places together change together", async () => {
    const made = setup();
    expect(await made.call("Order", "ann:7", "addAll", ["ann:7:1", "ann:7:2"])).toEqual([1, 1]);
    await expect(made.call("Order", "ann:7", "addAll", ["ann:7:1", "bob:7:1"])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await made.call("Line", "ann:7:1", "get")).toBe(1);
  });

  test("[ID6] [ID3] ids that name their place stay there", () => {
    for (const id of ["shard#3/a", "partition#p0/a"]) expect(placementOf(id, () => "b")).toEqual(placementOf(id));
  });

  test.each(["thrown", "numbers", ":7"])("[ID6] an id that it has no text for is INVALID_ID: %s", async (id) => {
    const made = setup();
    await expect(made.call("Line", id, "add")).rejects.toMatchObject({ code: "INVALID_ID" });
    expect(() => made.object(Line, id)).toThrow(expect.objectContaining({ code: "INVALID_ID" }));
    await expect(made.call("Order", "a", "addTo", id)).rejects.toMatchObject({ code: "INVALID_ID" });
  });

  test("[ID6] half a surrogate pair is no text", () => {
    expect(() => placementOf("😀", (id) => id.slice(0, 1))).toThrow(expect.objectContaining({ code: "INVALID_ID" }));
  });

  test("[ID6] a partition that starts warns of objects that were stored under another shardBy", async () => {
    let whole = false;
    class Changing extends Line {
      static override readonly type = "Changing";
      static override readonly shardBy = (id: string) => (whole ? id : id.split(":")[0]);
    }
    const made = new TestCluster({ objects: [Changing] });
    await made.call("Changing", "ann:1", "add");
    await made.call("Changing", "ann:2", "add");
    made.crash("p0");
    expect(await made.call("Changing", "ann:1", "get")).toBe(1);
    const warned = () => made.warnings.filter(({ event }) => event.includes("shardBy"));
    expect(warned()).toEqual([]);
    whole = true;
    made.crash("p0");
    expect(await made.call("Changing", "ann:1", "get")).toBe(0);
    expect(warned()).toEqual([{ event: expect.any(String), details: { type: "Changing", id: "ann:1" } }]);
  });
});
