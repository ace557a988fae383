import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Mailbox, type Waiting } from "../../src/partition/turns/mailbox.ts";
import type { Turn } from "../../src/partition/turns/turn.ts";

interface Fake {
  readonly number: number;
  exclusive: boolean;
}

/** The rules of [TURN1] with no thought of cost: a queue and a set. */
class Model {
  readonly running = new Set<Fake>();
  queue: Fake[] = [];

  free(exclusive: boolean): boolean {
    if (this.running.size === 0) return true;
    return !exclusive && [...this.running].every((other) => !other.exclusive);
  }

  arrive(turn: Fake): "runs" | "waits" {
    if (this.queue.length === 0 && this.free(turn.exclusive)) {
      this.running.add(turn);
      return "runs";
    }
    this.queue.push(turn);
    return "waits";
  }

  /** Starts what may start; says whom. */
  pump(): Fake[] {
    const started: Fake[] = [];
    for (let first = this.queue[0]; first !== undefined && this.free(first.exclusive); first = this.queue[0]) {
      this.queue.shift();
      this.running.add(first);
      started.push(first);
    }
    return started;
  }
}

/** The real mailbox, driven as the engine drives it, beside the model. */
class Pair {
  readonly mailbox = new Mailbox<Turn>();
  readonly model = new Model();
  readonly tickets = new Map<Fake, Waiting<Turn>>();
  #count = 0;

  arrive(exclusive: boolean): void {
    const fake: Fake = { number: this.#count++, exclusive };
    const admitted = this.mailbox.admits(exclusive);
    expect(admitted ? "runs" : "waits").toBe(this.model.arrive(fake));
    if (admitted) this.mailbox.enter(turnOf(fake), exclusive);
    else this.tickets.set(fake, this.mailbox.wait(turnOf(fake)));
  }

  finish(pick: number): void {
    const running = [...this.model.running];
    const fake = running[pick % running.length];
    if (fake === undefined) return;
    this.model.running.delete(fake);
    this.mailbox.leave(turnOf(fake));
    this.pump();
  }

  withdraw(pick: number): void {
    const fake = this.model.queue[pick % this.model.queue.length];
    if (fake === undefined) return;
    this.model.queue = this.model.queue.filter((other) => other !== fake);
    const ticket = this.tickets.get(fake) as Waiting<Turn>;
    expect(this.mailbox.withdraw(ticket)).toBe(true);
    expect(this.mailbox.withdraw(ticket)).toBe(false);
    this.pump();
  }

  /** Takes every second turn that waits, by its number. */
  take(): void {
    const taken = this.model.queue.filter(({ number }) => number % 2 === 0);
    expect(this.mailbox.take((turn) => fakeOf(turn).number % 2 === 0).map(fakeOf)).toEqual(taken);
    this.model.queue = this.model.queue.filter((fake) => !taken.includes(fake));
    for (const fake of taken) expect(this.mailbox.withdraw(this.tickets.get(fake) as Waiting<Turn>)).toBe(false);
    this.pump();
  }

  /** The turn that runs alone turns out to be one that may have company. */
  share(): void {
    for (const fake of this.model.running) fake.exclusive = false;
    this.mailbox.share();
    this.pump();
  }

  drain(): void {
    expect(this.mailbox.drain().map(fakeOf)).toEqual(this.model.queue);
    this.model.queue = [];
  }

  pump(): void {
    const started: Fake[] = [];
    for (let turn = this.next(); turn !== undefined; turn = this.next()) {
      this.mailbox.enter(turn, fakeOf(turn).exclusive);
      started.push(fakeOf(turn));
    }
    expect(started).toEqual(this.model.pump());
  }

  next(): Turn | undefined {
    return this.mailbox.next((turn) => fakeOf(turn).exclusive);
  }

  check(): void {
    const { mailbox, model } = this;
    expect(mailbox.waiting).toBe(model.queue.length);
    expect([...mailbox.running].map(fakeOf)).toEqual([...model.running]);
    expect([...mailbox.waitingTurns()].map(fakeOf)).toEqual(model.queue);
    for (const fake of model.running) expect(mailbox.runs(turnOf(fake))).toBe(true);
    for (const fake of model.queue) expect(mailbox.runs(turnOf(fake))).toBe(false);
    expect(mailbox.idle).toBe(model.running.size === 0 && model.queue.length === 0);
    expect(mailbox.shared).toBe(model.running.size > 0 && [...model.running].every((turn) => !turn.exclusive));
    expect([...model.running].filter((turn) => turn.exclusive).length === 0 || model.running.size === 1).toBe(true);
  }
}

const turnOf = (fake: Fake) => fake as unknown as Turn;
const fakeOf = (turn: Turn) => turn as unknown as Fake;

describe("Mailbox", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("arrive" as const), exclusive: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("finish" as const), pick: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("withdraw" as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drain" as const), likely: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("share" as const) }) },
  );

  test("[TURN1] behaves like a queue of readers and writers in order of arrival, withdrawals included", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pair = new Pair();
        for (const next of steps) {
          if (next.do === "arrive") pair.arrive(next.exclusive);
          else if (next.do === "finish") pair.finish(next.pick);
          else if (next.do === "withdraw") pair.withdraw(next.pick);
          else if (next.do === "take") pair.take();
          else if (next.do === "share") pair.share();
          else if (next.likely === 0) pair.drain();
          pair.check();
        }
        while (pair.model.running.size > 0) pair.finish(0);
        pair.check();
        expect(pair.mailbox.idle).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test("[TURN8] thousands of waiting turns keep their order through withdrawals in the middle", () => {
    const pair = new Pair();
    pair.arrive(true);
    for (let index = 0; index < 4_000; index++) pair.arrive(index % 3 === 0);
    for (let index = 0; index < 2_600; index++) pair.withdraw(index * 7_919);
    pair.check();
    for (let round = 0; pair.model.running.size > 0; round++) {
      pair.finish(round);
      if (round % 50 === 0) pair.arrive(round % 100 === 0);
      if (round % 100 === 0) pair.check();
    }
    pair.check();
    expect(pair.mailbox.idle).toBe(true);
  });

  test("[TURN1] a readonly turn never overtakes a waiting writer", () => {
    const pair = new Pair();
    for (const exclusive of [false, true, false]) pair.arrive(exclusive);
    expect([...pair.model.running].map(({ number }) => number)).toEqual([0]);
    pair.finish(0);
    expect([...pair.model.running].map(({ number }) => number)).toEqual([1]);
  });

  test("[TURN6] readers behind a writer that gave up start with the readers that run", () => {
    const pair = new Pair();
    for (const exclusive of [false, true, false, false]) pair.arrive(exclusive);
    pair.withdraw(0);
    expect([...pair.model.running].map(({ number }) => number)).toEqual([0, 2, 3]);
    pair.check();
  });

  test("a withdrawn or drained turn can't be withdrawn again, a stranger can't leave", () => {
    const pair = new Pair();
    for (const exclusive of [true, true]) pair.arrive(exclusive);
    const [ticket] = pair.tickets.values();
    pair.drain();
    expect(pair.mailbox.withdraw(ticket as Waiting<Turn>)).toBe(false);
    pair.mailbox.leave(turnOf({ number: 99, exclusive: true }));
    pair.check();
    expect(pair.mailbox.admits(false)).toBe(false);
  });
});
