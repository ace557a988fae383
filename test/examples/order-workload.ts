import type { Workload } from "edgeverse/testing";
import { Order, Product, Van } from "../../examples/order.ts";
import { Wallet } from "../../examples/wallet.ts";
import { deedsOf, ofKind, repeated, same } from "./repeated.ts";

const PRODUCTS = ["pen", "ink"];
const BUYERS = ["ann", "bob", "cy"];
const VANS = ["north", "south"];
const PRICE = 7;

/** What a client did, as far as it took effect. */
type Deed =
  | { readonly kind: "restock"; readonly product: string; readonly count: number }
  | { readonly kind: "deposit"; readonly buyer: string; readonly amount: number }
  | { readonly kind: "unload"; readonly parcels: readonly string[] }
  | { readonly kind: "place"; readonly id: string }
  | { readonly kind: "view"; readonly id: string; readonly status: string }
  | undefined;

const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);

/** Orders of things that run out, by buyers whose money runs out, for vans that are full. */
export default {
  objects: [Order, Product, Van, Wallet],
  calls: 60,
  async call({ object, random, n }): Promise<Deed> {
    const callId = `c${n}`;
    const [product, buyer, van] = [random.pick(PRODUCTS), random.pick(BUYERS), random.pick(VANS)];
    const [count, amount] = [1 + random.int(4), 10 + random.int(40)];
    const kind = random.weighted({ restock: 2, deposit: 3, unload: 1, place: 9, view: 4 });
    if (kind === "restock") {
      await repeated(random, () => object(Product, product, { callId }).restock({ count: 3 * count, price: PRICE }));
      return { kind, product, count: 3 * count };
    }
    if (kind === "deposit") {
      await repeated(random, () => object(Wallet, buyer, { callId }).deposit({ amount }));
      return { kind, buyer, amount };
    }
    if (kind === "unload") {
      const unloaded = await repeated(random, () => object(Van, van, { callId }).unload());
      return "parcels" in unloaded ? { kind, parcels: unloaded.parcels } : undefined;
    }
    // Half of the time it is an order that somebody placed before.
    const id = `o${random.chance(0.5) ? n : random.int(n + 1)}`;
    if (kind === "view") return { kind, id, status: (await object(Order, id, { callId }).view()).status };
    const details = { product, count, buyer, seller: "shop", van };
    const placed = await repeated(random, () => object(Order, id, { callId }).place(details));
    return "refused" in placed ? undefined : { kind, id };
  },

  async check({ object, answers }) {
    const deeds = deedsOf(answers);

    const ids = ofKind(deeds, "place").map(({ id }) => id);
    same("orders that were placed twice", ids.length - new Set(ids).size, 0);
    const orders = await Promise.all(ids.map(async (id) => ({ id, ...(await object(Order, id).view()) })));
    const open = orders.filter(({ status }) => status !== "shipped" && status !== "cancelled");
    same("orders without an end", open, []);
    for (const { id, status } of ofKind(deeds, "view")) {
      const end = orders.find((order) => order.id === id)?.status ?? "new";
      if (status === "shipped" || status === "cancelled") same(`the end of order ${id}`, end, status);
    }

    const shipped = orders.filter(({ status }) => status === "shipped");
    for (const product of PRODUCTS) {
      const { inStock, reserved, shipped: gone } = await object(Product, product).view();
      const came = ofKind(deeds, "restock").filter((restock) => restock.product === product);
      const went = shipped.filter(({ details }) => details?.product === product);
      const expected = {
        came: sum(came.map(({ count }) => count)),
        went: sum(went.map(({ details }) => details?.count ?? 0)),
      };
      same(`the stock of ${product}`, { came: inStock + reserved + gone, went: gone }, expected);
      same(`what is reserved of ${product}`, reserved, 0);
    }
    for (const buyer of BUYERS) {
      const { balance } = await object(Wallet, buyer).getBalance();
      const earned = ofKind(deeds, "deposit").filter((deposit) => deposit.buyer === buyer);
      const spent = shipped.filter(({ details }) => details?.buyer === buyer);
      same(
        `the money of ${buyer}`,
        balance,
        sum(earned.map(({ amount }) => amount)) - sum(spent.map(({ price }) => price)),
      );
    }
    const { balance } = await object(Wallet, "shop").getBalance();
    same("the money of the shop", balance, sum(shipped.map(({ details }) => PRICE * (details?.count ?? 0))));
    const loaded = await Promise.all(VANS.map((van) => object(Van, van, { callId: "last" }).unload()));
    const parcels = [...ofKind(deeds, "unload"), ...loaded].flatMap((each) => each.parcels);
    same("the parcels", parcels.sort(), shipped.map(({ id }) => id).sort());
  },
} satisfies Workload<Deed>;
