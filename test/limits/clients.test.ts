import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientKeeper } from "../../src/limits/client-keeper.ts";
import { ClientLimits } from "../../src/limits/client-limits.ts";
import { clientName } from "../../src/limits/client-name.ts";
import type { ClientReport } from "../../src/limits/client-report.ts";
import type { Limits } from "../../src/limits/limits-schema.ts";
import { RefusalCounters } from "../../src/observe/refusal-counters.ts";
import { ManualClock } from "../../src/testing/clocks.ts";

/** Ms that a report and its answer take each. */
const WAY = 50;
/** Seconds between what a client has used and every router that it uses knowing it ([LIM4]). */
const STALENESS = 1 + (2 * WAY) / 1_000;

/** Routers in memory, with keepers that can be silent, and every report that was sent. */
function edge(limits: Limits, { routers = 1, keepers = 1 } = {}) {
  const clock = new ManualClock();
  const counters = new RefusalCounters();
  const state = {
    silent: false,
    reports: [] as { at: number; router: number; keeper: string; report: ClientReport }[],
  };
  const names = Array.from({ length: keepers }, (_, index) => `p${index}`);
  const all = new Map(names.map((name) => [name, new ClientKeeper({ now: () => clock.now(), counters })]));
  const way = () => new Promise<void>((resolve) => clock.after(WAY, resolve));
  const made = Array.from(
    { length: routers },
    (_, router) =>
      new ClientLimits({
        limits,
        clock,
        keepers: () => names,
        background: () => undefined,
        async report(keeper, report) {
          state.reports.push({ at: clock.now(), router, keeper, report });
          await way();
          if (state.silent) return new Promise(() => undefined);
          const debts = (all.get(keeper) as ClientKeeper).report(structuredClone(report));
          await way();
          return debts;
        },
      }),
  );
  const take = (router: number, client = "identity ann") => {
    try {
      (made[router] as ClientLimits).take(client, undefined, "Counter", "add");
      return true;
    } catch {
      return false;
    }
  };
  return { clock, state, take, made, counters };
}

const ONE: Limits = { clients: { per: "client", rate: 5, burst: 10 } };

describe("limits of clients at many routers [LIM4]", () => {
  it("give at most burst and rate, and for each further router a burst and the rate of the time to tell", async () => {
    const shape = fc.record({
      routers: fc.integer({ min: 1, max: 6 }),
      rate: fc.integer({ min: 1, max: 20 }),
      burst: fc.integer({ min: 1, max: 20 }),
      // Who is asked, how often, and how long after.
      steps: fc.array(
        fc.record({
          router: fc.nat(5),
          calls: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
          pause: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 4_000 })),
        }),
        { minLength: 10, maxLength: 60 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ routers, rate, burst, steps }) => {
        const { clock, take } = edge({ clients: { per: "client", rate, burst } }, { routers });
        const taken: number[] = [];
        for (const { router, calls, pause } of steps) {
          for (let call = 0; call < calls; call++) if (take(router % routers)) taken.push(clock.now());
          await clock.advance(pause);
        }
        const extra = (routers - 1) * (burst + rate * STALENESS);
        for (const [first, start] of taken.entries()) {
          const end = taken.at(-1) as number;
          expect(taken.length - first).toBeLessThanOrEqual(burst + (rate * (end - start)) / 1_000 + extra + 1e-3);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("give each client its rate in the long run, however many routers it spreads its calls over", async () => {
    const { clock, take } = edge(ONE, { routers: 8 });
    let given = 0;
    for (let tick = 0; tick < 600; tick++) {
      for (let router = 0; router < 8; router++) if (take(router)) given++;
      await clock.advance(100);
    }
    // A minute: the burst, the rate, and what it took the routers to hear of each other.
    expect(given).toBeGreaterThanOrEqual(60 * 5);
    expect(given).toBeLessThanOrEqual(10 + 60 * 5 + 7 * (10 + 5 * STALENESS));
  });

  it("are exact at one router, and no client's calls count for another", async () => {
    const { take, clock } = edge(ONE);
    for (let call = 0; call < 10; call++) expect(take(0)).toBe(true);
    expect([take(0), take(0, "identity bob")]).toEqual([false, true]);
    await clock.advance(200);
    expect([take(0), take(0)]).toEqual([true, false]);
  });

  it("report once a second to each keeper at most, and never while nobody calls", async () => {
    const { clock, state, take, counters } = edge(ONE, { routers: 2, keepers: 3 });
    for (let tick = 0; tick < 300; tick++) {
      for (let client = 0; client < 9; client++) take(tick % 2, `identity ${client}`);
      await clock.advance(20);
    }
    await clock.advance(3_000);
    const last = new Map<string, number>();
    for (const { at, router, keeper } of state.reports) {
      expect(at - (last.get(`${router} ${keeper}`) ?? 0)).toBeGreaterThanOrEqual(1_000);
      last.set(`${router} ${keeper}`, at);
    }
    expect(last.size).toBe(6);
    // What was refused is counted where an operator can see it.
    expect(counters.values["clients"]).toBeGreaterThan(100);
    const told = state.reports.length;
    await clock.advance(3_600_000);
    expect([state.reports.length, clock.timers]).toEqual([told, 0]);
  });

  it("fall back to each router's own budget while a keeper is silent, and come together again", async () => {
    const { clock, state, take } = edge(ONE, { routers: 2 });
    state.silent = true;
    const given = [0, 0];
    for (let tick = 0; tick < 200; tick++) {
      for (const router of [0, 1]) if (take(router)) given[router]!++;
      await clock.advance(100);
    }
    for (const count of given) {
      expect(count).toBeGreaterThanOrEqual(5 * 19);
      expect(count).toBeLessThanOrEqual(10 + 5 * 20);
    }
    state.silent = false;
    await clock.advance(5_000);
    let together = 0;
    for (let tick = 0; tick < 600; tick++) {
      for (const router of [0, 1]) if (take(router)) together++;
      await clock.advance(100);
    }
    expect(together).toBeLessThanOrEqual(10 + 5 * 60 + 10 + 5 * STALENESS);
  });

  it("go on after a background that ended without a word", async () => {
    const clock = new ManualClock();
    let begun = 0;
    const dead = { ...clock, now: () => clock.now(), after: () => () => undefined, soon: () => undefined };
    const limits = new ClientLimits({
      limits: ONE,
      clock: dead,
      keepers: () => ["p0"],
      background: () => begun++,
      report: async () => [],
    });
    limits.take("a", undefined, "T", "m");
    limits.take("a", undefined, "T", "m");
    expect(begun).toBe(1);
    await clock.advance(40_000);
    limits.take("a", undefined, "T", "m");
    expect(begun).toBe(2);
  });

  it("hold the memory of a router and of a keeper, however many clients there are [LIM7]", async () => {
    const { clock, state, take } = edge({ clients: { per: "client", rate: 0.01, burst: 2 } });
    for (let client = 0; client < 30_000; client++) {
      take(0, `identity ${client} ${"x".repeat(200)}`);
      if (client % 10_000 === 0) await clock.advance(1_200);
    }
    await clock.advance(30_000);
    const sizes = state.reports.map(({ report }) => report.limits[0]?.clients.length ?? 0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4_000);
  });

  it("share the memory of a keeper, however many there are, and also with those that are no more [LIM7]", () => {
    const keeper = new ClientKeeper({ now: () => 0, counters: new RefusalCounters() });
    const clients = Array.from({ length: 4_000 }, (_, index) => `identity ${index} ${"x".repeat(400)}`);
    const used = clients.map(() => 1);
    for (let version = 0; version < 40; version++) {
      const limits = [{ name: `limit${version}`, rate: 0.01, burst: 2, clients, used }];
      keeper.report({ limits, refused: {} });
      expect(keeper.bytes).toBeLessThanOrEqual(4 * 1024 * 1024 + 600);
    }
    // What was reported last is known.
    const [debts] = keeper.report({
      limits: [{ name: "limit39", rate: 0.01, burst: 2, clients: clients.slice(-1), used: [0] }],
      refused: {},
    });
    expect(debts).toEqual([100_000]);
  });
});

describe("who a client is [LIM2]", () => {
  it("is its identity, or else its address, in IPv6 with all of its network", () => {
    const of = (address: string) => clientName(undefined, address);
    expect(clientName({ id: "ann", roles: [] }, "1.2.3.4")).toBe("identity ann");
    expect(of("1.2.3.4")).toBe("address 1.2.3.4");
    expect(of("2001:db8:1:2:3:4:5:6")).toBe("address 2001:db8:1:2::/64");
    expect(of("2001:db8:1:2::1")).toBe(of("2001:DB8:1:2:ffff::"));
    expect(of("2001:db8::1")).toBe("address 2001:db8:0:0::/64");
    expect(of("::ffff:1.2.3.4")).toBe("address 1.2.3.4");
    expect(of("fe80::1%eth0")).toBe("address fe80:0:0:0::/64");
    expect(of("::")).toBe("address 0:0:0:0::/64");
    for (const odd of ["", "1:2", ":::", "g::1", "1::2::3", "x".repeat(1_000)])
      expect(of(odd)).toBe(`address ${odd.slice(0, 64)}`);
    // An address that calls itself an identity is none.
    expect(of("identity ann")).not.toBe(clientName({ id: "ann", roles: [] }, undefined));
  });
});
