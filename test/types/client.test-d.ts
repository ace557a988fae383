/** Compile-time tests of [CLIENT1]: a client has its types from the host's classes, and nothing else of them. */
import { method, VirtualObject } from "edgeverse";
import { createClient } from "edgeverse/client";
import { defineHost } from "edgeverse/cloudflare";
import { z } from "zod";
import type { Counter } from "../../examples/counter.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_Claim extends true>(): void {}

class Cart extends VirtualObject.withState(z.object({ items: z.array(z.string()).default([]) })) {
  static override readonly type = "Cart";
  static override readonly create = z.object({ owner: z.string() });
  static override readonly methods = {
    put: method({ request: z.object({ item: z.string() }) }),
    list: method({ readonly: true }),
    trim: method({ request: z.object({ to: z.number().default(10) }) }),
    paid: method({ internal: true }),
  };
  put({ item }: { item: string }) {
    return { count: this.state.items.push(item), at: undefined as number | undefined };
  }
  list() {
    return this.state.items;
  }
  trim(_request: { to: number }): void {}
  paid() {}
}

const host = defineHost({ objects: [Cart] });
const client = createClient<typeof host>({ url: "http://localhost" });
const cart = client.object("Cart", "ann", { repeat: true });
const classes = createClient<typeof Cart | typeof Counter>();

async function right() {
  const put = await cart.put({ item: "soup" }, { reliable: true, timeout: 500 });
  check<Equal<typeof put, { count: number; at?: number }>>();
  const items = await cart.list();
  check<Equal<typeof items, string[]>>();
  const nothing = await cart.trim();
  check<Equal<typeof nothing, null>>();
  await cart.list(undefined, { signal: AbortSignal.timeout(1) });
  await cart.trim({ to: 3 }, { callId: "one" });
  check<Equal<typeof created, boolean>>();
  const created = await client.create("Cart", "ann", { owner: "ann" }, { timeout: 5 });
  await client.delete("Cart", "ann");
  const { value } = await classes.object("Counter", "a").add({ by: 1 });
  check<Equal<typeof value, number>>();
  const anything = await createClient().object("Any", "a").thing!({ of: "any kind" }, { reliable: true });
  check<Equal<typeof anything, unknown>>();
}

async function wrong() {
  // @ts-expect-error no such type
  client.object("Counter", "a");
  // @ts-expect-error no such method
  cart.get();
  // @ts-expect-error another request
  cart.put({ item: 1 });
  // @ts-expect-error no request
  cart.put();
  // @ts-expect-error a method that takes none
  cart.list({ of: 1 });
  // @ts-expect-error objects may call it, clients may not
  cart.paid();
  // @ts-expect-error no such option
  cart.put({ item: "soup" }, { retry: true });
  // @ts-expect-error an id names one call, not all calls of an object
  client.object("Cart", "a", { callId: "one" });
  // @ts-expect-error another creation
  client.create("Cart", "ann", {});
}

export { right, wrong };
