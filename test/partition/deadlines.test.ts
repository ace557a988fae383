import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Deadlines } from "../../src/partition/turns/deadlines.ts";
import type { Cancel, Clock } from "../../src/platform/ports.ts";

/** A clock with timers that fall due in order as it is moved, all in one event. */
class StepClock implements Clock {
  soon(action: () => void): void {
    this.after(0, action);
  }
  time = 1_000;
  armed = 0;
  #timers: { at: number; action: () => void }[] = [];

  now(): number {
    return this.time;
  }

  get timers(): number {
    return this.#timers.length;
  }

  after(delay: number, action: () => void): Cancel {
    expect(delay).toBeGreaterThanOrEqual(0);
    const timer = { at: this.time + delay, action };
    this.#timers.push(timer);
    this.armed++;
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  advance(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.time = Math.max(this.time, due.at);
      due.action();
    }
    this.time = until;
  }
}

interface Planned {
  readonly at: number;
  fired: number | undefined;
  cancelled: boolean;
  cancel: Cancel;
}

describe("Deadlines", () => {
  /** What a deadline's action does: nothing, sets another one, or cancels one. */
  const reaction = fc.oneof(
    fc.constant(undefined),
    fc.record({ add: fc.integer({ min: -5, max: 60 }) }),
    fc.record({ cancel: fc.nat() }),
  );
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ add: fc.integer({ min: -20, max: 100 }), reaction }) },
    { weight: 3, arbitrary: fc.record({ cancel: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ advance: fc.nat(40) }) },
  );

  test("[TURN6] one that throws stops no other", () => {
    const clock = new StepClock();
    const deadlines = new Deadlines(clock);
    const fired: string[] = [];
    deadlines.add(clock.now() + 5, () => {
      throw new Error("a fault");
    });
    deadlines.add(clock.now() + 5, () => fired.push("due at once"));
    deadlines.add(clock.now() + 50, () => fired.push("due later"));
    expect(() => clock.advance(10)).toThrow("a fault");
    clock.advance(100);
    deadlines.add(clock.now() + 5, () => fired.push("added after"));
    clock.advance(10);
    expect(fired).toEqual(["due at once", "due later", "added after"]);
  });

  test("[TURN5] each fires once, at its moment and in order, unless cancelled; one timer serves them all", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const clock = new StepClock();
        const deadlines = new Deadlines(clock);
        const all: Planned[] = [];
        const order: Planned[] = [];
        const cancel = (pick: number) => {
          const planned = all[pick % all.length];
          if (planned === undefined) return;
          planned.cancel();
          if (planned.fired === undefined) planned.cancelled = true;
        };
        const add = (delay: number, react: { add: number } | { cancel: number } | undefined) => {
          const planned: Planned = { at: clock.now() + delay, fired: undefined, cancelled: false, cancel: () => {} };
          planned.cancel = deadlines.add(planned.at, () => {
            expect([planned.fired, planned.cancelled]).toEqual([undefined, false]);
            // Not early, and not late: at its own moment, or when it was set if that had passed.
            expect(clock.now()).toBe(Math.max(planned.at, planned.at - delay));
            planned.fired = clock.now();
            order.push(planned);
            if (react !== undefined && "add" in react) add(react.add, undefined);
            if (react !== undefined && "cancel" in react) cancel(react.cancel);
          });
          all.push(planned);
        };
        for (const next of steps) {
          if ("add" in next) add(next.add, next.reaction);
          else if ("cancel" in next) cancel(next.cancel);
          else clock.advance(next.advance);
          expect(clock.timers).toBeLessThanOrEqual(1);
          expect(deadlines.size).toBe(all.filter((one) => one.fired === undefined && !one.cancelled).length);
        }
        clock.advance(1_000);
        for (const planned of all) expect(planned.fired !== undefined).toBe(!planned.cancelled);
        const moments = order.map(({ fired }) => fired);
        expect(moments).toEqual([...moments].sort((a, b) => (a as number) - (b as number)));
        expect([clock.timers, deadlines.size]).toEqual([0, 0]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("[TURN5] thousands at random fire like a sorted list", () => {
    const clock = new StepClock();
    const deadlines = new Deadlines(clock);
    const fired: number[] = [];
    const moments = Array.from({ length: 3_000 }, (_, index) => (index * 7_919) % 1_009);
    const cancels = moments.map((moment) => deadlines.add(clock.now() + moment, () => fired.push(moment)));
    const left = moments.filter((_, index) => index % 4 === 0);
    cancels.forEach((cancel, index) => {
      if (index % 4 !== 0) cancel();
    });
    expect([deadlines.size, clock.timers]).toEqual([750, 1]);
    clock.advance(2_000);
    expect(fired).toEqual(left.sort((a, b) => a - b));
    expect([deadlines.size, clock.timers]).toEqual([0, 0]);
  });

  test("[TURN5] a deadline set while another fires does not hold up an earlier one", () => {
    const clock = new StepClock();
    const deadlines = new Deadlines(clock);
    const fired: [string, number][] = [];
    const note = (name: string) => fired.push([name, clock.now() - 1_000]);
    deadlines.add(1_010, () => {
      note("first");
      deadlines.add(6_000, () => note("late"));
    });
    deadlines.add(1_020, () => note("second"));
    clock.advance(10_000);
    expect(fired).toEqual([
      ["first", 10],
      ["second", 20],
      ["late", 5_000],
    ]);
  });

  test("[TURN5] a moment that has passed fires on the next event, never within `add`", () => {
    const clock = new StepClock();
    const deadlines = new Deadlines(clock);
    let fired = false;
    deadlines.add(0, () => {
      fired = true;
    });
    expect(fired).toBe(false);
    clock.advance(0);
    expect(fired).toBe(true);
  });

  test("[MEM2] nothing is armed before the first and after the last, and a cancelled one never runs", () => {
    const clock = new StepClock();
    const deadlines = new Deadlines(clock);
    expect(clock.timers).toBe(0);
    const cancel = deadlines.add(clock.now() + 30_000, () => expect.fail("cancelled"));
    cancel();
    cancel();
    expect(deadlines.size).toBe(0);
    clock.advance(30_000);
    expect(clock.timers).toBe(0);
    clock.advance(1e9);
    expect(clock.armed).toBe(2);
  });

  test("[MEM2] no timer keeps its Durable Object awake for a deadline that is gone", () => {
    const clock = new StepClock();
    const deadlines = new Deadlines(clock);
    const first = deadlines.add(clock.now() + 30_000, () => expect.fail("cancelled"));
    const second = deadlines.add(clock.now() + 20_000, () => expect.fail("cancelled"));
    first();
    second();
    clock.advance(100);
    expect(clock.timers).toBe(0);
    let fired = false;
    deadlines.add(clock.now() + 10, () => {
      fired = true;
    });
    clock.advance(10);
    expect(fired).toBe(true);
  });

  test("[TURN5] set and cancelled over and over, memory and timers stay bounded", () => {
    const clock = new StepClock();
    const deadlines = new Deadlines(clock);
    for (let index = 0; index < 10_000; index++) deadlines.add(clock.now() + 30_000, () => {})();
    expect(deadlines.size).toBe(0);
    expect(clock.timers).toBeLessThanOrEqual(1);
    expect(clock.armed).toBeLessThan(1_000);
  });
});
