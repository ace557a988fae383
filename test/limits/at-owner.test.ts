import { describe, expect, it } from "vitest";
import * as z from "zod";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { Limits } from "../../src/limits/limits-schema.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { OPEN } from "../support/open-access.ts";

const names = z.object({ to: z.string() });

class Door extends VirtualObject.withState(z.object({ knocks: z.number().default(0) })) {
  static override readonly type = "Door";
  static override readonly methods = {
    knock: method(),
    look: method({ readonly: true }),
    pass: method({ request: names }),
    leave: method({ request: names }),
  };
  knock() {
    return ++this.state.knocks;
  }
  look() {
    return this.state.knocks;
  }
  async pass({ to }: { to: string }) {
    let knocks = 0;
    for (let time = 0; time < 5; time++) knocks = await this.object(Door, to).knock();
    return knocks;
  }
  leave({ to }: { to: string }) {
    for (let time = 0; time < 5; time++) this.outbox(Door, to).knock();
  }
}

function cluster(limits: Limits, partitions = 1) {
  return new TestCluster({ objects: [Door], access: OPEN, limits, partitions });
}

/** What came of each call: its response, or what its refusal says. */
async function outcomes(calls: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const call of calls) {
    all.push(
      await call().catch((error: unknown) => {
        const { code, details, retryAfter } = EdgeverseError.from(error);
        return { code, limit: (details as { limit: string } | undefined)?.limit, retryAfter };
      }),
    );
  }
  return all;
}

const REFUSED = { code: "RATE_LIMITED", limit: "knocks", retryAfter: 10 };
const SLOW: Limits = { knocks: { per: "object", rate: 0.1, burst: 2 } };

describe("limits at the owner [LIM3]", () => {
  it("count every client's calls of an object, also readonly ones, and its creation, each object for itself", async () => {
    using all = cluster(SLOW);
    const [ann, bob] = [
      all.object(Door, "a", { identity: { id: "ann", roles: [] } }),
      all.object(Door, "a", { identity: null }),
    ];
    expect(await outcomes([() => ann.knock(), () => bob.look(), () => ann.knock(), () => bob.look()])).toEqual([
      1,
      1,
      REFUSED,
      REFUSED,
    ]);
    expect(await outcomes([() => all.object(Door, "b", { identity: null }).knock()])).toEqual([1]);
    const created = () => all.create(Door, "c", undefined, { identity: null });
    expect(await outcomes([created, created, created])).toEqual([true, false, REFUSED]);
    await all.clock.advance(10_000);
    expect(await outcomes([() => ann.knock(), () => ann.knock()])).toEqual([2, REFUSED]);
    expect(all.partition("p0").refusals.values).toEqual({ knocks: 4 });
  });

  it("outlast the object's stay in memory and a failed commit, and end with the process", async () => {
    using all = cluster(SLOW);
    const door = all.object(Door, "a", { identity: null });
    expect(await outcomes([() => door.knock(), () => door.knock()])).toEqual([1, 2]);
    await all.clock.advance(5_000);
    const core = await all.partition("p0").core();
    for (const activation of [...core.activations.all()]) core.activations.forget(activation);
    expect(await outcomes([() => door.knock()])).toEqual([{ ...REFUSED, retryAfter: 5 }]);
    all.crash("p0");
    expect(await outcomes([() => door.knock(), () => door.knock(), () => door.knock()])).toEqual([3, 4, REFUSED]);
  });

  it("go on with a full bucket where the object has moved to", async () => {
    using all = cluster(SLOW, 2);
    const door = all.object(Door, "a", { identity: null });
    expect(await outcomes([() => door.knock(), () => door.knock(), () => door.knock()])).toEqual([1, 2, REFUSED]);
    await all.move(Door, "a", { to: all.ownerOf(Door, "a") === "p0" ? "p1" : "p0" });
    expect(await outcomes([() => door.knock(), () => door.knock(), () => door.knock()])).toEqual([3, 4, REFUSED]);
  });

  it("refuse each call of a batch by itself", async () => {
    using all = cluster(SLOW);
    const messages = Array.from({ length: 4 }, () => ({
      ...all.message("Door", "a", "knock"),
      caller: { kind: "client" } as const,
    }));
    const replies = await all.clock.until(all.router.batch(messages));
    expect(replies.map((reply) => (reply.kind === "error" ? reply.error.code : reply.kind))).toEqual([
      "response",
      "response",
      "RATE_LIMITED",
      "RATE_LIMITED",
    ]);
  });
});

describe("what no limit refuses [LIM5]", () => {
  it("is a repetition of a reliable call, which fetches the outcome", async () => {
    using all = cluster(SLOW);
    const knock = (callId: string) => () => all.object(Door, "a", { identity: null, callId }).knock();
    expect(await outcomes(["x", "y", "z", "x", "y", "x", "z"].map(knock))).toEqual([1, 2, REFUSED, 1, 2, 1, REFUSED]);
    await all.clock.advance(10_000);
    // What was refused left no trace: the same id runs once there is room.
    expect(await outcomes(["z", "z"].map(knock))).toEqual([3, 3]);
  });

  it("is a call that waited for its time, or for another process, once it was accepted", async () => {
    using all = cluster(SLOW);
    const message = (callId: string, notBefore?: number) => ({
      ...all.message("Door", "a", "knock"),
      caller: { kind: "client" } as const,
      reliable: { callId, answer: "accepted" as const, ...(notBefore === undefined ? {} : { notBefore }) },
    });
    const due = all.clock.now() + 60_000;
    const kinds = [];
    for (const callId of ["a", "b", "c", "a"]) {
      const reply = await all.clock.until(all.router.call(message(callId, due)));
      kinds.push(reply.kind === "error" ? reply.error.code : reply.kind);
    }
    expect(kinds).toEqual(["accepted", "accepted", "RATE_LIMITED", "accepted"]);
    await all.clock.advance(30_000);
    // The bucket is empty again when both are due.
    const door = all.object(Door, "a", { identity: null });
    await all.clock.advance(29_990);
    expect(await outcomes([() => door.look(), () => door.look()])).toEqual([0, 0]);
    await all.clock.advance(1_000);
    expect(await all.object(Door, "a").look()).toBe(2);
  });

  it("is what objects call, send and are sent, and the author's own code", async () => {
    using all = cluster(SLOW);
    const client = all.object(Door, "a", { identity: null });
    expect(await client.pass({ to: "b" })).toBe(5);
    await client.leave({ to: "c" });
    await all.clock.advance(1_000);
    const own = all.object(Door, "c");
    for (let time = 0; time < 4; time++) expect(await own.look()).toBe(5);
  });
});
