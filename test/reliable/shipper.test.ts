import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { INTERVAL, PENDING, setup } from "./shipper-fixture.ts";

describe("Shipper", () => {
  test("[CALL5] gathers for an interval, then writes one batch; pokes meanwhile change nothing", async () => {
    const { clock, log, backlog, shipper } = setup();
    for (let poke = 0; poke < 5; poke++) {
      backlog.add();
      shipper.poke();
      expect(clock.timers).toBe(1);
      await clock.advance(INTERVAL / 5 - 1);
    }
    expect(log.batches).toEqual([]);
    expect(shipper.status.state).toBe("waiting");
    await clock.advance(10);
    expect(log.batches).toEqual([["c1", "c2", "c3", "c4", "c5"]]);
    expect(shipper.status).toEqual({ state: "idle", failures: 0, shipped: 5, lastError: undefined });
  });

  test("[MEM2] idle means idle: no timer, no look at the backlog, no statement", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.add();
    shipper.poke();
    await clock.advance(INTERVAL);
    const { asked } = backlog;
    await clock.advance(3_600_000);
    expect([clock.timers, backlog.asked, log.batches.length]).toEqual([0, asked, 1]);
  });

  test("[CALL5] a large backlog goes in bounded batches, in order, all of it", async () => {
    const { log, backlog, shipper } = setup();
    for (let index = 0; index < 1_201; index++) backlog.add();
    await shipper.ship();
    expect(log.batches.map((batch) => batch.length)).toEqual([500, 500, 201]);
    expect(log.batches.flat()).toEqual([...backlog.rows.values()].map(({ callId }) => callId));
    expect(backlog.open()).toEqual([]);
  });

  test("[CALL5] a backlog of exactly one batch ends, too", async () => {
    const { log, backlog, shipper } = setup();
    for (let index = 0; index < 500; index++) backlog.add();
    await shipper.ship();
    expect(log.batches.map((batch) => batch.length)).toEqual([500]);
    expect(shipper.status.state).toBe("idle");
  });

  test("[CALL5] looks again after the interval while something is too young to be told", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.waits = true;
    shipper.poke();
    await clock.advance(INTERVAL);
    expect([clock.timers, log.batches]).toEqual([1, []]);
    backlog.add(PENDING);
    backlog.waits = false;
    await clock.advance(INTERVAL);
    expect([clock.timers, log.batches]).toEqual([0, [["c1"]]]);
  });

  test("[CALL6] backs off from 500 ms to 30 s while the log is away, and ships when it is back", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.add();
    log.down = true;
    await shipper.ship();
    const pauses: number[] = [];
    for (let failure = 1; failure <= 9; failure++) {
      expect(shipper.status).toMatchObject({ state: "backing off", failures: failure, lastError: "The log is down" });
      expect(clock.timers).toBe(1);
      const started = clock.now();
      while (shipper.status.failures === failure) await clock.advance(500);
      pauses.push(clock.now() - started);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    log.down = false;
    await clock.advance(30_000);
    expect(shipper.status).toEqual({ state: "idle", failures: 0, shipped: 1, lastError: undefined });
    // The next trouble starts from the beginning.
    log.down = true;
    backlog.add();
    await shipper.ship();
    await clock.advance(500);
    expect(shipper.status.failures).toBe(2);
  });

  test("[CALL6] a poke during a back-off does not hurry it; ship does", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.add();
    log.down = true;
    for (let failure = 0; failure < 5; failure++) await shipper.ship();
    const tried = log.batches.length;
    for (let poke = 0; poke < 20; poke++) {
      shipper.poke();
      await clock.advance(100);
    }
    expect(log.batches.length).toBe(tried);
    log.down = false;
    await shipper.ship();
    expect(shipper.status).toMatchObject({ state: "idle", failures: 0, shipped: 1 });
    await clock.advance(60_000);
    expect(log.batches.length).toBe(tried + 1);
  });

  test("[CALL5] an outcome that comes between next() and shipped() is shipped as well", async () => {
    const { clock, log, backlog, shipper, logged } = setup();
    const seq = backlog.add(PENDING);
    const release = log.hold();
    const shipping = shipper.ship();
    await clock.advance(1);
    expect(shipper.status.state).toBe("shipping");
    const record = backlog.rows.get(seq) as CallRecord;
    backlog.rows.set(seq, { ...record, status: "success", response: "1", finishedAt: clock.now() });
    shipper.poke();
    release();
    await shipping;
    expect(await logged()).toMatchObject([{ status: "success", response: "1" }]);
    expect(backlog.open()).toEqual([]);
    expect(shipper.status.state).toBe("idle");
  });

  test("[CALL5] what arrives while a batch is under way goes with the next one, by one shipper only", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.add();
    const release = log.hold();
    const shipping = shipper.ship();
    await clock.advance(1);
    backlog.add();
    await shipper.ship();
    release();
    await shipping;
    expect(log.batches).toEqual([["c1"], ["c2"]]);
    expect(clock.timers).toBe(0);
  });

  test("[CALL5] what comes right after a look that found nothing is shipped, when it is told so", async () => {
    const { log, backlog, shipper } = setup();
    const shipping = shipper.ship();
    backlog.add();
    await shipper.ship();
    await shipping;
    expect(log.batches).toEqual([["c1"]]);
  });

  test("[CALL5] a poke during a batch that then fails is not lost", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.add();
    const release = log.hold();
    const shipping = shipper.ship();
    await clock.advance(1);
    backlog.add();
    shipper.poke();
    log.down = true;
    release();
    await shipping;
    expect(shipper.status.state).toBe("backing off");
    log.down = false;
    await clock.advance(500);
    expect(backlog.open()).toEqual([]);
  });

  test("[CALL5] records the log will never take are reported and do not block the others", async () => {
    const { log, backlog, refusals, shipper, logged } = setup();
    for (let index = 0; index < 700; index++) backlog.add();
    log.refuses.add("c3").add("c600");
    await shipper.ship();
    expect(refusals.map(({ details }) => (details as { refused: CallRecord[] }).refused[0]?.callId)).toEqual([
      "c3",
      "c600",
    ]);
    expect(await logged()).toHaveLength(698);
    expect(backlog.open()).toEqual([]);
    expect(shipper.status).toMatchObject({ state: "idle", failures: 0 });
  });

  test("[CALL5] if the owner can't note what was shipped, it is shipped again, and that changes nothing", async () => {
    const { clock, log, backlog, shipper, logged } = setup();
    backlog.add();
    backlog.failShipped = new Error("disk full");
    await shipper.ship();
    expect(shipper.status).toMatchObject({ state: "backing off", lastError: "disk full", shipped: 0 });
    const before = await logged();
    backlog.failShipped = undefined;
    await clock.advance(500);
    expect(log.batches).toEqual([["c1"], ["c1"]]);
    expect(await logged()).toEqual(before);
    expect(shipper.status).toMatchObject({ state: "idle", shipped: 1 });
  });

  test("stop ends it for good: no timer, no statement, nothing noted as shipped", async () => {
    for (const down of [false, true]) {
      const { clock, log, backlog, shipper } = setup();
      backlog.add();
      log.down = down;
      if (down) await shipper.ship();
      else shipper.poke();
      expect(clock.timers).toBe(1);
      shipper.stop();
      expect(shipper.status.state).toBe("idle");
      const written = log.batches.length;
      log.down = false;
      shipper.poke();
      await shipper.ship();
      await clock.advance(60_000);
      expect([clock.timers, log.batches.length, backlog.open().length]).toEqual([0, written, 1]);
    }
  });

  test("stop during a statement: its records stay in the backlog, for the next shipper", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.add();
    const release = log.hold();
    const shipping = shipper.ship();
    await clock.advance(1);
    shipper.stop();
    expect(shipper.status.state).toBe("shipping");
    release();
    await shipping;
    await clock.advance(60_000);
    expect([clock.timers, log.batches.length, backlog.open().length]).toEqual([0, 1, 1]);
  });

  test("stop during a statement that fails: it is not tried again", async () => {
    const { clock, log, backlog, shipper } = setup();
    backlog.add();
    const release = log.hold();
    const shipping = shipper.ship();
    await clock.advance(1);
    shipper.stop();
    log.down = true;
    release();
    await shipping;
    expect(clock.timers).toBe(0);
  });

  test("[CALL5] whatever happens meanwhile, in the end the log holds each record as the owner has it", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant("accept" as const) },
      { weight: 4, arbitrary: fc.constant("finish" as const) },
      fc.constantFrom("down" as const, "up" as const, "ship" as const),
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 2_000 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { clock, log, backlog, shipper, logged } = setup();
        for (const next of steps) {
          if (typeof next === "number") await clock.advance(next);
          else if (next === "down" || next === "up") log.down = next === "down";
          else if (next === "ship") void shipper.ship();
          else {
            const first = [...backlog.rows].find(([, record]) => record.status === "pending");
            if (next === "accept") backlog.add(PENDING);
            else if (first !== undefined) backlog.rows.set(first[0], { ...first[1], status: "success", response: "1" });
            shipper.poke();
          }
        }
        log.down = false;
        await clock.advance(31_000);
        const found = (await logged()).map(({ callId, status }) => [callId, status]).reverse();
        expect(found).toEqual([...backlog.rows.values()].map(({ callId, status }) => [callId, status]));
        expect([clock.timers, shipper.status.state]).toEqual([0, "idle"]);
      }),
      { numRuns: 60 },
    );
  });
});
