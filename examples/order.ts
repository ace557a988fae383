import { type CallOutcome, callOutcome, method, type RequestOf, VirtualObject } from "edgeverse";
import * as z from "zod";
import { Wallet } from "./wallet.ts";

const count = z.number().int().min(1).max(1_000);
/** Names that are ids of other objects. One that is fit here is fit at every later step, too. */
const name = z.string().regex(/^[\w-]{1,64}$/);

/** A thing that is sold. The invariant: what came in is in stock, reserved or shipped. */
export class Product extends VirtualObject.withState(
  z.object({
    price: z.number().int().default(0),
    inStock: z.number().int().default(0),
    reserved: z.number().int().default(0),
    shipped: z.number().int().default(0),
  }),
) {
  static override readonly type = "Product";
  static override readonly methods = {
    restock: method({ request: z.object({ count, price: z.number().int().min(1).max(1_000_000) }) }),
    reserve: method({ internal: true, request: z.object({ count }) }),
    release: method({ internal: true, request: z.object({ count }) }),
    ship: method({ internal: true, request: z.object({ count }) }),
    view: method({ readonly: true }),
  };

  restock({ count, price }: RequestOf<typeof Product.methods.restock>) {
    this.state.inStock += count;
    this.state.price = price;
    return this.view();
  }

  reserve({ count }: RequestOf<typeof Product.methods.reserve>) {
    if (count > this.state.inStock) this.fail("OUT_OF_STOCK", `${this.state.inStock} are in stock`);
    this.state.inStock -= count;
    this.state.reserved += count;
    return { price: count * this.state.price };
  }

  release({ count }: RequestOf<typeof Product.methods.release>) {
    this.state.reserved -= count;
    this.state.inStock += count;
  }

  ship({ count }: RequestOf<typeof Product.methods.ship>) {
    this.state.reserved -= count;
    this.state.shipped += count;
  }

  view() {
    return this.state;
  }
}

/** Takes parcels as long as there is room for them. */
export class Van extends VirtualObject.withState(z.object({ parcels: z.array(z.string()).default([]) })) {
  static override readonly type = "Van";
  static override readonly methods = {
    load: method({ internal: true, request: z.object({ parcel: z.string() }) }),
    unload: method(),
  };

  load({ parcel }: RequestOf<typeof Van.methods.load>) {
    if (this.state.parcels.length === 20) this.fail("VAN_FULL", "the van has 20 parcels");
    this.state.parcels.push(parcel);
  }

  unload() {
    const { parcels } = this.state;
    this.state.parcels = [];
    return { parcels };
  }
}

const details = z.object({ product: name, count, buyer: name, seller: name, van: name });
const reservation = z.object({ price: z.number().int() });

/**
 * An order goes step by step: it reserves the product, takes the money, and loads the van. If a step is refused, it
 * gives back what the steps before have taken. The invariant: it ends as `shipped` or as `cancelled`, never in between.
 */
export class Order extends VirtualObject.withState(
  z.object({
    details: details.nullable().default(null),
    price: z.number().int().default(0),
    status: z.enum(["new", "reserving", "paying", "loading", "shipped", "cancelled"]).default("new"),
    /** Why it was cancelled. */
    reason: z.string().nullable().default(null),
  }),
) {
  static override readonly type = "Order";
  static override readonly methods = {
    place: method({ request: details }),
    reserved: method({ internal: true, request: callOutcome }),
    paid: method({ internal: true, request: callOutcome }),
    loaded: method({ internal: true, request: callOutcome }),
    view: method({ readonly: true }),
  };

  place(order: RequestOf<typeof Order.methods.place>) {
    if (this.state.status !== "new") this.fail("ALREADY_PLACED", `the order is ${this.state.status}`);
    this.state.details = order;
    this.state.status = "reserving";
    this.outbox(Product, order.product, { onOutcome: "reserved" }).reserve({ count: order.count });
    return this.view();
  }

  reserved(outcome: CallOutcome) {
    if (outcome.status !== "success") return this.#cancel(outcome);
    this.state.status = "paying";
    this.state.price = reservation.parse(outcome.response).price;
    this.outbox(Wallet, this.#details.buyer, { onOutcome: "paid" }).withdraw({ amount: this.state.price });
  }

  paid(outcome: CallOutcome) {
    if (outcome.status !== "success") return this.#cancel(outcome);
    this.state.status = "loading";
    this.outbox(Van, this.#details.van, { onOutcome: "loaded" }).load({ parcel: this.id });
  }

  loaded(outcome: CallOutcome) {
    if (outcome.status !== "success") return this.#cancel(outcome);
    const { product, count, seller } = this.#details;
    this.state.status = "shipped";
    this.outbox(Product, product).ship({ count });
    this.outbox(Wallet, seller).deposit({ amount: this.state.price });
  }

  view() {
    return this.state;
  }

  /** Gives back what the order has. Giving back is never refused, so nobody need hear of it. */
  #cancel({ error }: Exclude<CallOutcome, { status: "success" }>) {
    const { product, count, buyer } = this.#details;
    const { status, price } = this.state;
    if (status === "loading") this.outbox(Wallet, buyer).deposit({ amount: price });
    if (status === "loading" || status === "paying") this.outbox(Product, product).release({ count });
    this.state.status = "cancelled";
    this.state.reason = error.reason ?? error.code;
  }

  get #details() {
    return this.state.details ?? this.fail("NOT_PLACED", "the order was not placed");
  }
}
