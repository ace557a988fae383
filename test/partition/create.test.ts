import { method, type RequestOf, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

class Match extends VirtualObject.withState(
  z.object({ owner: z.string().default("nobody"), size: z.number().default(0) }),
) {
  static override readonly type = "Match";
  static override readonly autoCreate = false;
  static override readonly create = z.object({ owner: z.string().min(1), size: z.number().int().default(8) });
  static override readonly methods = { get: method({ readonly: true }) };

  protected override async onCreate({ owner, size }: RequestOf<typeof Match.create>) {
    if (owner === "mallory") this.fail("BANNED", "mallory owns no matches");
    this.state = { owner, size };
  }
  get() {
    return this.state;
  }
}

/** Made by calls as well. */
class Lobby extends VirtualObject.withState(z.object({ name: z.string().default("") })) {
  static override readonly type: string = "Lobby";
  static override readonly create = z.object({ name: z.string().default("unnamed") });
  static override readonly methods = { enter: method() };
  protected override onCreate({ name }: RequestOf<typeof Lobby.create>) {
    this.state.name = name;
  }
  enter() {
    return this.state.name;
  }
}

class Auto extends Lobby {
  static override readonly type = "Auto";
  static override readonly autoLoad = "global";
}

class Plain extends VirtualObject {
  static override readonly type = "Plain";
}

const setup = () => new TestCluster({ objects: [Match, Lobby, Auto, Plain], partitions: 2 });

describe("creating an object", () => {
  test("[LIFE5] onCreate gets the request, parsed", async () => {
    const cluster = setup();
    expect(await cluster.create(Match, "m", { owner: "ann" })).toBe(true);
    expect(await cluster.object(Match, "m").get()).toEqual({ owner: "ann", size: 8 });
  });

  test("[LIFE5] a request that does not fit creates nothing, also where the object is there", async () => {
    const cluster = setup();
    for (const bad of [undefined, null, {}, { owner: "" }, { owner: "ann", size: 1.5 }]) {
      await expect(cluster.lifecycle("create", "Match", "m", bad)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    await expect(cluster.lifecycle("create", "Match", "m", { size: 1 })).rejects.toMatchObject({
      message: expect.stringContaining("The request of create of Match does not fit at owner"),
      details: { issues: [{ path: ["owner"] }] },
    });
    await expect(cluster.object(Match, "m").get()).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" });
    await cluster.create(Match, "m", { owner: "ann" });
    await expect(cluster.lifecycle("create", "Match", "m", {})).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("[LIFE5] one that is there is left as it is", async () => {
    const cluster = setup();
    await cluster.create(Match, "m", { owner: "ann" });
    expect(await cluster.create(Match, "m", { owner: "bob", size: 2 })).toBe(false);
    expect(await cluster.object(Match, "m").get()).toEqual({ owner: "ann", size: 8 });
  });

  test("[LIFE5] when onCreate refuses, nothing was created", async () => {
    const cluster = setup();
    await expect(cluster.create(Match, "m", { owner: "mallory" })).rejects.toMatchObject({ reason: "BANNED" });
    expect(await cluster.create(Match, "m", { owner: "ann" })).toBe(true);
  });

  test("[LIFE5] where a call or autoLoad creates it, onCreate gets what the schema makes of no request", async () => {
    const cluster = setup();
    expect(await cluster.object(Lobby, "l").enter()).toBe("unnamed");
    await cluster.create(Lobby, "named", { name: "chess" });
    expect(await cluster.object(Lobby, "named").enter()).toBe("chess");
    await cluster.clock.advance(20);
    expect(await cluster.object(Auto, "auto").enter()).toBe("unnamed");
    expect(await cluster.create(Auto, "auto", { name: "late" })).toBe(false);
  });

  test("[LIFE5] a type without a schema takes no request", async () => {
    const cluster = setup();
    await expect(cluster.lifecycle("create", "Plain", "p", { any: 1 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await cluster.create(Plain, "p")).toBe(true);
    expect(await cluster.lifecycle("create", "Plain", "p", {})).toEqual({ created: false });
  });

  test("[LIFE5] deleted and created again, it gets the new request", async () => {
    const cluster = setup();
    await cluster.create(Match, "m", { owner: "ann" });
    await cluster.delete(Match, "m");
    expect(await cluster.create(Match, "m", { owner: "bob" })).toBe(true);
    cluster.crash(cluster.ownerOf(Match, "m"));
    expect(await cluster.object(Match, "m").get()).toEqual({ owner: "bob", size: 8 });
  });
});
