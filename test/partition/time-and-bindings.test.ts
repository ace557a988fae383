import { method, VirtualObject } from "edgeverse";
import { type ManualClock, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

declare global {
  namespace Cloudflare {
    interface Env {
      GREETING?: string;
    }
  }
}

let clock: ManualClock;
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

class Timed extends VirtualObject.withState(z.object({ seen: z.array(z.number()).default([]) })) {
  static override readonly type = "Timed";
  static override readonly reentrant = true;
  static override readonly methods = {
    look: method(),
    wait: method({ request: z.object({ ms: z.number() }) }),
    waitAndLook: method({ request: z.object({ ms: z.number() }) }),
    keep: method(),
    greet: method({ readonly: true }),
  };
  static kept: (() => number) | undefined;
  protected override async onCreate() {
    this.state.seen.push(this.now());
    await sleep(10);
  }
  protected override onActivate() {
    this.state.seen.push(this.now());
  }
  look() {
    return { now: this.now(), seen: this.state.seen };
  }
  async wait({ ms }: { ms: number }) {
    const before = this.now();
    await sleep(ms);
    return [before, this.now()];
  }
  /** A turn inside this one is a turn too. */
  async waitAndLook({ ms }: { ms: number }) {
    await sleep(ms);
    const { now } = await this.object(Timed, this.id).look();
    return [this.now(), now];
  }
  keep() {
    Timed.kept = () => this.now();
  }
  greet() {
    return this.env.GREETING ?? null;
  }
}

const START = 1_800_000_000_000;

function setup(env?: Partial<Cloudflare.Env>) {
  const cluster = new TestCluster({ objects: [Timed], ...(env === undefined ? {} : { env }) });
  clock = cluster.clock;
  return cluster;
}

describe("a turn's time", () => {
  test("[TURN11] is taken as the turn starts and stays, through hooks and awaits", async () => {
    const cluster = setup();
    const created = cluster.send("Timed", "t", "look");
    await clock.advance(50);
    expect(await created).toMatchObject({ response: JSON.stringify({ now: START, seen: [START, START] }) });

    const waited = cluster.send("Timed", "t", "wait", { ms: 30 });
    const behind = cluster.send("Timed", "t", "look");
    await clock.advance(100);
    expect(await waited).toMatchObject({ response: JSON.stringify([START + 50, START + 50]) });
    expect(await behind, "one that waited starts when its turn has come").toMatchObject({
      response: expect.stringContaining(`"now":${START + 80}`),
    });
  });

  test("[TURN11] is each turn's own, also of one inside another", async () => {
    const cluster = setup();
    void cluster.send("Timed", "t", "look");
    await clock.advance(20);
    const now = clock.now();
    const nested = cluster.send("Timed", "t", "waitAndLook", { ms: 40 });
    await clock.advance(100);
    expect(await nested).toMatchObject({ response: JSON.stringify([now, now + 40]) });
  });

  test("[TURN11] is out of reach once the turn has ended", async () => {
    const cluster = setup();
    const kept = cluster.send("Timed", "t", "keep");
    await clock.advance(50);
    await kept;
    expect(() => Timed.kept?.()).toThrow("No turn is running");
  });
});

describe("the Worker's bindings", () => {
  test("[OBJ7] are reached as this.env", async () => {
    const cluster = setup({ GREETING: "hello" });
    const greeting = cluster.send("Timed", "t", "greet");
    await clock.advance(50);
    expect(await greeting).toMatchObject({ response: '"hello"' });
  });

  test("[OBJ7] a cluster without any says so", async () => {
    const cluster = setup();
    const greeting = cluster.send("Timed", "t", "greet");
    await clock.advance(50);
    expect(await greeting).toMatchObject({ error: { code: "INTERNAL" } });
    expect(String(cluster.thrown[0])).toContain('Timed "t" has no bindings: give them to the TestCluster as "env"');
  });
});
