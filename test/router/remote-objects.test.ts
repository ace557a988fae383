import { EdgeverseError, method, type RequestOf, VirtualObject } from "edgeverse";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Wallet } from "../../examples/wallet.ts";
import { type RemoteCallOptions, type RemoteObjectParts, RemoteObjects } from "../../src/router/remote-objects.ts";
import type { Router } from "../../src/router/router.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";

/** Says who called it, and asks another object to say the same. */
class Witness extends VirtualObject.withState(z.object({ naps: z.number().int().default(0) })) {
  static override readonly type = "Witness";
  static override readonly access = { anonymous: true };
  static override readonly timeout = "7s";
  static override readonly methods = {
    sees: method({ readonly: true }),
    through: method({ request: z.object({ id: z.string() }) }),
    nap: method({ request: z.object({ ms: z.number() }), timeout: "9s" }),
    nothing: method(),
  };

  sees() {
    const { caller, identity, deadline, callId, traceparent } = this.context;
    return { kind: caller.kind, identity, deadline, callId, traceparent };
  }

  through({ id }: { id: string }) {
    return this.object(Witness, id).sees();
  }

  async nap({ ms }: { ms: number }) {
    await clock.sleep(ms);
    this.state.naps++;
  }

  nothing() {}
}

/** Is created with who made it, and where. */
class Room extends VirtualObject.withState(z.object({ name: z.string().default(""), by: z.string().default("") })) {
  static override readonly type = "Room";
  static override readonly access = { anonymous: true };
  static override readonly create = z.object({ name: z.string().default("unnamed") });
  static override readonly methods = { about: method({ readonly: true }) };

  protected override onCreate({ name }: RequestOf<typeof Room.create>) {
    const { caller, identity } = this.context;
    this.state = { name, by: identity === undefined ? caller.kind : `${caller.kind} ${identity.id}` };
  }

  about() {
    return { ...this.state };
  }
}

class Unserved extends VirtualObject {
  static override readonly type = "Unserved";
}

let clock: ManualClock & { sleep(ms: number): Promise<void> };

function setUp() {
  const manual = new ManualClock();
  clock = Object.assign(manual, { sleep: (ms: number) => new Promise<void>((resolve) => manual.after(ms, resolve)) });
  const cluster = new TestCluster({ objects: [Wallet, Witness, Room], partitions: 3, clock });
  const ticking = async <T>(reply: Promise<T>) => {
    await clock.advance(1);
    return reply;
  };
  const router: Pick<Router, "call" | "lifecycle"> = {
    call: (message) => ticking(cluster.router.call(message)),
    lifecycle: (message) => ticking(cluster.router.lifecycle(message)),
  };
  const { registry, config } = cluster;
  let ids = 0;
  const random = { uuid: () => `id-${++ids}` };
  const parts: RemoteObjectParts = { registry, router, config, clock, random, caller: "worker" };
  return { cluster, parts, objects: new RemoteObjects(parts) };
}

describe("objects called from outside of every object", () => {
  test("[HOST2] a stub calls methods and gives their responses", async () => {
    const { objects } = setUp();
    const ann = objects.stub(Wallet, "ann");
    expect(await ann.deposit({ amount: 7 })).toEqual({ balance: 7 });
    const { balance } = await ann.getBalance();
    expect(balance).toBe(7);
    expect(await objects.stub(Witness, "w").nothing()).toBeNull();
  });

  test("[HOST2] a call that fails throws an EdgeverseError with the method's reason", async () => {
    const { objects } = setUp();
    const refused = await objects
      .stub(Wallet, "ann")
      .withdraw({ amount: 1 })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(EdgeverseError);
    expect(refused).toMatchObject({ code: "CALL_FAILED", reason: "INSUFFICIENT_FUNDS", details: { balance: 0 } });
  });

  test("[CALL1] with a call id a call runs once", async () => {
    const { objects } = setUp();
    const ann = objects.stub(Wallet, "ann", { callId: "pay-1" });
    expect(await ann.deposit({ amount: 7 })).toEqual({ balance: 7 });
    expect(await ann.deposit({ amount: 7 })).toEqual({ balance: 7 });
    await expect(ann.deposit({ amount: 8 })).rejects.toMatchObject({ code: "CALL_ID_REUSED" });
    expect(await objects.stub(Wallet, "ann").getBalance()).toEqual({ balance: 7 });
  });

  test("[HOST2] [ACC2] the object sees the client that the worker speaks for, and identity and trace go on to the next object", async () => {
    const { objects } = setUp();
    const identity = { id: "ann", roles: ["admin"] };
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const witness = objects.stub(Witness, "a", { identity, traceparent, callId: "c-1" });
    expect(await witness.sees()).toMatchObject({ kind: "client", identity, traceparent, callId: "c-1" });
    expect(await objects.stub(Witness, "a", { identity: null }).sees()).toMatchObject({ kind: "client" });
    expect(await objects.stub(Witness, "a").sees()).toMatchObject({ kind: "worker" });
    expect(await objects.stub(Witness, "b", { identity, traceparent }).through({ id: "other" })).toMatchObject({
      kind: "object",
      identity,
      traceparent,
    });
  });

  test("[HTTP6] a malformed traceparent is ignored", async () => {
    const { objects } = setUp();
    for (const traceparent of ["00-xyz", "", null, undefined]) {
      expect(await objects.stub(Witness, "a", { traceparent }).sees()).not.toHaveProperty("traceparent");
    }
  });

  test("[TURN5] the deadline is the option's, at most what a client may ask for; else the method's, the type's", async () => {
    const { cluster, objects } = setUp();
    const left = async (options: RemoteCallOptions) => {
      const before = clock.now();
      return (await objects.stub(Witness, "a", options).sees()).deadline - before;
    };
    expect(await left({ timeout: 400 })).toBe(400);
    expect(await left({ timeout: 1e12 })).toBe(cluster.config.maxCallTimeout);
    expect(await left({})).toBe(7_000);
    const late = objects.stub(Witness, "a", { timeout: 50 }).nap({ ms: 60_000 });
    const slow = objects.stub(Witness, "b").nap({ ms: 60_000 });
    const outcome = expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await clock.advance(60);
    await outcome;
    const later = expect(slow).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await clock.advance(9_000);
    await later;
  });

  test("[CALL8] a reliable call may expire", async () => {
    const { objects } = setUp();
    const nap = objects.stub(Witness, "a", { callId: "n-1", expiresIn: 30 }).nap({ ms: 60_000 });
    const outcome = expect(nap).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", reason: "EXPIRED" });
    await clock.advance(100);
    await outcome;
  });

  test("[OBJ3] a request is copied as JSON when it is sent; what is not JSON is refused", async () => {
    const { objects } = setUp();
    const ann = objects.stub(Wallet, "ann");
    const request = { amount: 3 };
    const reply = ann.deposit(request);
    request.amount = 4;
    expect(await reply).toEqual({ balance: 3 });
    for (const amount of [Number.NaN, new Date(), 1n, () => 1]) {
      await expect(ann.deposit({ amount } as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    await expect(objects.stub(Witness, "a").through({ id: "x".repeat(2 ** 20) })).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
  });

  test("[HOST2] types that are not served, ids and options that are wrong are refused before anything is sent", async () => {
    const { objects } = setUp();
    const codeOf = (action: () => unknown) => {
      try {
        action();
      } catch (error) {
        return (error as EdgeverseError).code;
      }
      return undefined;
    };
    expect(codeOf(() => objects.stub(Unserved, "a"))).toBe("TYPE_NOT_FOUND");
    expect(codeOf(() => objects.stub(Wallet, "a/b"))).toBe("INVALID_ID");
    expect(codeOf(() => objects.stub(Wallet, "a", { timeout: 0 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => objects.stub(Wallet, "a", { log: "later" as never }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => objects.stub(Wallet, "a", { expiresIn: 100 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => objects.stub(Wallet, "a", { log: "write-ahead" }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => objects.stub(Wallet, "a", { identity: { id: "ann" } as never }))).toBe("INVALID_ARGUMENT");
    await expect(objects.stub(Wallet, "a", { callId: "" }).getBalance()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(objects.create(Unserved, "a")).rejects.toMatchObject({ code: "TYPE_NOT_FOUND" });
  });

  test("[LIFE5] an object is created with the request, or without one, by the caller", async () => {
    const { objects } = setUp();
    const identity = { id: "ann", roles: [] };
    expect(await objects.create(Room, "a", { name: "chess" }, { identity })).toBe(true);
    expect(await objects.create(Room, "b", {})).toBe(true);
    expect(await objects.stub(Room, "a").about()).toEqual({ name: "chess", by: "client ann" });
    expect(await objects.stub(Room, "b").about()).toEqual({ name: "unnamed", by: "worker" });
    for (const timeout of [0, -1, Number.NaN]) {
      await expect(objects.create(Room, "c", {}, { timeout })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(objects.delete(Room, "a", { timeout })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(await objects.create(Room, "a", {})).toBe(false);
  });

  test("[HOST2] an answer that is no outcome is an error, not a response", async () => {
    const { cluster, parts } = setUp();
    const call = async () => ({ kind: "accepted", callId: "c" }) as const;
    const objects = new RemoteObjects({ ...parts, router: { call, lifecycle: cluster.router.lifecycle } });
    await expect(objects.stub(Wallet, "ann").getBalance()).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringContaining("accepted"),
    });
  });

  test("[LIFE1] [LIFE3] objects are created and deleted", async () => {
    const { objects } = setUp();
    expect(await objects.create(Wallet, "ann")).toBe(true);
    expect(await objects.create(Wallet, "ann")).toBe(false);
    await objects.stub(Wallet, "ann").deposit({ amount: 3 });
    await objects.delete(Wallet, "ann");
    await objects.delete(Wallet, "ann");
    expect(await objects.stub(Wallet, "ann").getBalance()).toEqual({ balance: 0 });
    await expect(objects.delete(Wallet, "a/b")).rejects.toMatchObject({ code: "INVALID_ID" });
  });
});
