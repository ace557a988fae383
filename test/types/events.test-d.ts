/** Compile-time tests of events ([EVT1], [EVT3]): `tsc --noEmit` checks this file, nothing runs it. */
import { VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import * as z from "zod";

export class Order extends VirtualObject<unknown, typeof Order.events> {
  static override readonly type = "Order";
  static override readonly events = {
    "order.paid": z.object({ amount: z.number(), note: z.string().default("") }),
    "order.closed": z.object({}),
  };

  pay() {
    const id: string = this.emit("order.paid", { amount: 1 });
    this.emit("order.closed", {});
    // @ts-expect-error an amount is a number
    this.emit("order.paid", { amount: "1" });
    // @ts-expect-error there must be an amount
    this.emit("order.paid", {});
    // @ts-expect-error it is not declared
    this.emit("order.payed", { amount: 1 });
    return id;
  }
}

export class Line extends VirtualObject.withState(z.object({}), { "line.put": z.object({ item: z.string() }) }) {
  static override readonly type = "Line";

  put() {
    this.emit("line.put", { item: "a" });
    // @ts-expect-error an item is a text
    this.emit("line.put", { item: 1 });
  }
}

export class Silent extends VirtualObject {
  static override readonly type = "Silent";

  tell() {
    // @ts-expect-error it declares no events
    this.emit("order.paid", { amount: 1 });
  }
}

const declared = { "liar.told": z.object({}) };
class Liar extends VirtualObject<unknown, typeof declared> {
  static override readonly type = "Liar";
}
// @ts-expect-error it may emit what it does not declare
defineHost({ objects: [Liar] });

defineHost({
  objects: [Order, Line],
  events: {
    hook: { kind: "webhook", url: "URL", secret: "SECRET", topics: ["order.paid", "line.put"] },
    table: { kind: "postgres", topics: "*" },
    queue: { kind: "queue", binding: "EVENTS", topics: ["line.put"] },
    // @ts-expect-error nobody declares it
    none: { kind: "none", topics: ["order.payed"] },
  },
});
