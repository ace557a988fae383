import { describe, expect, test } from "vitest";
import * as z from "zod";
import { clientGone } from "../../src/object/client-messages.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";

class Room extends VirtualObject.withState(z.object({ said: z.number().default(0) })) {
  static override readonly type = "Room";
  static override readonly methods = {
    say: method({ request: z.object({ lines: z.array(z.unknown()), fail: z.boolean().default(false) }) }),
    tell: method({ request: z.object({ client: z.string(), line: z.unknown() }) }),
    all: method({ request: z.unknown() }),
    look: method({ readonly: true }),
  };

  say({ lines, fail }: { lines: unknown[]; fail: boolean }) {
    this.state.said += lines.length;
    for (const line of lines) this.publish(`room/${this.id}`, line);
    if (fail) this.fail("NO", "nobody hears it");
    return this.state.said;
  }

  tell({ client, line }: { client: string; line: unknown }) {
    this.push(client, line);
  }

  all(line: unknown) {
    this.broadcast(line);
  }

  look() {
    this.publish("room/x", "looked");
  }
}

/** Hears of clients that are gone. */
class Door extends VirtualObject.withState(z.object({ gone: z.array(z.string()).default([]) })) {
  static override readonly type = "Door";
  static override readonly methods = {
    left: method({ internal: true, request: clientGone }),
    gone: method({ readonly: true }),
  };

  left({ client, identity }: z.output<typeof clientGone>) {
    this.state.gone.push(`${client} ${identity?.id}`);
  }

  gone() {
    return this.state.gone;
  }
}

const cluster = (more: object = {}) => new TestCluster({ objects: [Room], partitions: 2, ...more });

describe("objects and their clients", () => {
  test("[PUSH4] a message commits with the turn that sends it, and one that fails sends nothing", async () => {
    using made = cluster();
    const ann = await made.connect({ topics: ["room/a"] });
    const room = made.object(Room, "a");
    await expect(room.say({ lines: ["lost"], fail: true })).rejects.toMatchObject({ reason: "NO" });
    await room.say({ lines: ["one", { two: 2 }] });
    expect(await ann.next()).toMatchObject({ topic: "room/a", data: "one" });
    expect(await ann.next()).toMatchObject({ topic: "room/a", data: { two: 2 } });
  });

  test("[PUSH4] to one client by its id, and to all, over several gates", async () => {
    using made = cluster({ config: { gates: 3 } });
    const clients = await Promise.all(["a", "b", "c"].map(() => made.connect()));
    expect(new Set(clients.map(({ client }) => client.split(".")[0])).size).toBe(3);
    const room = made.object(Room, "a");
    for (const { client } of clients) await room.tell({ client, line: client });
    await room.all("all");
    for (const connection of clients) {
      expect(await connection.next()).toMatchObject({ data: connection.client });
      expect(await connection.next()).toMatchObject({ data: "all" });
    }
  });

  test("[PUSH2] a message is one row for each gate", async () => {
    using made = cluster({ config: { gates: 2 } });
    await Promise.all(Array.from({ length: 10 }, () => made.connect({ topics: ["room/a"] })));
    await made.object(Room, "a").say({ lines: ["one"] });
    await made.clock.advance(100);
    for (const gate of ["g0", "g1"])
      expect(made.storage(gate).query("SELECT count(*) AS n FROM messages")).toEqual([{ n: 1 }]);
    const owner = made.storage(made.ownerOf(Room, "a"));
    expect(owner.query("SELECT count(*) AS n FROM outbox")).toEqual([{ n: 0 }]);
  });

  test("[PUSH4] they reach a client once and in order, whatever ends meanwhile, and when their shard moves", async () => {
    using made = cluster();
    const ann = await made.connect({ topics: ["room/a"] });
    const expected: number[] = [];
    for (let round = 0; round < 12; round++) {
      const lines = Array.from({ length: 5 }, (_, index) => round * 5 + index);
      expected.push(...lines);
      const owner = made.ownerOf(Room, "a");
      if (round % 4 === 0) made.crash(owner, { afterCommits: 2 });
      if (round % 4 === 1) made.crash("g0");
      await made.object(Room, "a", { callId: `round-${round}` }).say({ lines });
      if (round % 4 === 2) await made.move(Room, "a", { to: owner === "p0" ? "p1" : "p0" });
      if (round % 4 === 3) ann.cut();
      if (!ann.isOpen) await ann.resume();
    }
    await made.clock.advance(120_000);
    const got: unknown[] = [];
    while (got.length < expected.length) got.push((await ann.next()).data);
    expect(got).toEqual(expected);
  });

  test("[PUSH4] a gate that can't be reached gets them later", async () => {
    using made = cluster();
    const ann = await made.connect({ topics: ["room/a"] });
    made.storage("g0").failing = new Error("the disk is full");
    await made.object(Room, "a").say({ lines: [1, 2] });
    await made.clock.advance(5_000);
    made.storage("g0").failing = undefined;
    await made.object(Room, "a").say({ lines: [3] });
    await made.clock.advance(60_000);
    expect([(await ann.next()).data, (await ann.next()).data, (await ann.next()).data]).toEqual([1, 2, 3]);
  });

  test.each([
    ["a topic that is none", { lines: ["x"] }, "a*", "INVALID_ARGUMENT"],
    ["too large a message", { lines: ["x".repeat(140_000)] }, "a", "PAYLOAD_TOO_LARGE"],
    ["too many messages", { lines: Array.from({ length: 1_001 }, () => 1) }, "a", "PAYLOAD_TOO_LARGE"],
  ])("[PUSH7] %s is refused in the turn", async (_what, request, id, code) => {
    using made = cluster();
    const before = made.object(Room, id);
    await expect(before.say(request)).rejects.toMatchObject({ code });
    expect(await before.say({ lines: [] }).catch(() => 0)).toBe(0);
  });

  test("[PUSH4] a readonly method sends nothing, and what is no client id is refused", async () => {
    using made = cluster();
    const room = made.object(Room, "a");
    await expect(room.look()).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(room.tell({ client: "ann", line: 1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    // Nobody can have it: a client names its gate, and there is no such gate.
    await room.tell({ client: `g9.${"0".repeat(32)}`, line: 1 });
    await made.clock.advance(1_000);
    expect(made.storages.has("g9")).toBe(false);
  });

  test("[PUSH3] an object hears of each session that has ended, once, whatever ends meanwhile", async () => {
    using made = new TestCluster({
      objects: [Door],
      partitions: 2,
      push: { connect: { anonymous: true }, onDisconnect: { type: "Door", id: "main", method: "left" } },
    });
    const door = made.object(Door, "main");
    await door.gone();
    const owner = made.ownerOf(Door, "main");
    const [left, cut, killed, back] = await Promise.all(
      ["ann", "bo", "cy", "di"].map((id) => made.connect({ identity: { id, roles: [] } })),
    );
    const names = [left, cut, killed].map((one, index) => `${one?.client} ${["ann", "bo", "cy"][index]}`);
    made.unreachable.add(owner);
    left?.leave();
    cut?.cut();
    await made.clock.advance(5_000);
    made.crash("g0");
    await back?.resume();
    made.unreachable.delete(owner);
    await made.clock.advance(60_000);
    made.crash(owner);
    await made.clock.advance(300_000);
    expect(await door.gone()).toEqual(names.sort((one, other) => names.indexOf(one) - names.indexOf(other)));
    back?.leave();
    await made.clock.advance(10_000);
    expect((await door.gone()).length).toBe(4);
  });
});
