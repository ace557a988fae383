import { method, type PublicEvent, VirtualObject } from "edgeverse";
import { z } from "zod";
import type { EventSink } from "../../src/partition/events/ports.ts";

const add = z.object({ amount: z.number(), times: z.number().default(1), fails: z.boolean().default(false) });

/** Tells the outside what is added to it. */
export class Till extends VirtualObject<{ total: number }, typeof Till.events> {
  static override readonly type = "Till";
  static override readonly state = z.object({ total: z.number().default(0) });
  static override readonly events = {
    "till.added": z.object({ amount: z.number(), total: z.number() }),
    "till.large": z.object({ text: z.string() }),
  };
  static override readonly methods = {
    add: method({ request: add }),
    text: method({ request: z.object({ size: z.number() }) }),
    unknown: method(),
    peek: method({ readonly: true }),
    emitPeek: method({ readonly: true }),
    wrong: method(),
  };

  add({ amount, times, fails }: z.output<typeof add>) {
    const ids: string[] = [];
    for (let time = 0; time < times; time++) {
      this.state.total += amount;
      ids.push(this.emit("till.added", { amount, total: this.state.total }));
    }
    if (fails) this.fail("NO", "no");
    return ids;
  }

  text({ size }: { size: number }) {
    return this.emit("till.large", { text: "x".repeat(size) });
  }

  unknown() {
    // @ts-expect-error it is not declared
    this.emit("till.aded", { amount: 1, total: 1 });
  }

  wrong() {
    // @ts-expect-error an amount is a number
    this.emit("till.added", { amount: "1", total: 1 });
  }

  peek() {
    return this.state.total;
  }

  emitPeek() {
    this.emit("till.added", { amount: 0, total: 0 });
  }
}

/** A sink that a test tells how to answer. */
export class FakeSink implements EventSink {
  limits = { events: 100, bytes: 1024 * 1024, messages: 1 };
  patience: number | undefined;
  /** All that it was sent, message by message. */
  readonly sent: PublicEvent[][] = [];
  answer: (events: readonly PublicEvent[]) => Promise<void> = async () => undefined;

  async send(events: readonly PublicEvent[]): Promise<void> {
    this.sent.push([...events]);
    await this.answer(events);
  }

  get totals(): unknown[] {
    return this.sent.flat().map(({ data }) => (data as { total: number }).total);
  }
}
