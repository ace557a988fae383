import type { Workload } from "edgeverse/testing";
import { Auction } from "../../examples/auction.ts";
import { Wallet } from "../../examples/wallet.ts";
import { deedsOf, ofKind, repeated, same } from "./repeated.ts";

const BIDDERS = ["una", "vic", "wes"];

/** What a client did, as far as it took effect, or saw. */
type Deed =
  | { readonly kind: "deposit"; readonly bidder: string; readonly amount: number }
  | { readonly kind: "open"; readonly id: string }
  | { readonly kind: "bid"; readonly id: string; readonly bidder: string; readonly amount: number }
  | { readonly kind: "view"; readonly id: string; readonly status: string; readonly best: object | null }
  | undefined;

const sum = (things: readonly { readonly amount: number }[]) => things.reduce((all, { amount }) => all + amount, 0);

/** Auctions of a few seconds, and bidders who bid more than they have, and until the last moment. */
export default {
  objects: [Auction, Wallet],
  calls: 60,
  async call({ object, random, n }): Promise<Deed> {
    const callId = `c${n}`;
    const bidder = random.pick(BIDDERS);
    const [amount, seconds] = [1 + random.int(60), 1 + random.int(3)];
    const id = `a${random.int(2 + Math.floor(n / 10))}`;
    const kind = random.weighted({ deposit: 3, open: 4, bid: 10, view: 3 });
    if (kind === "deposit") {
      await repeated(random, () => object(Wallet, bidder, { callId }).deposit({ amount }));
      return { kind, bidder, amount };
    }
    const auction = object(Auction, id, { callId });
    if (kind === "view") {
      const { status, best } = await auction.view();
      return { kind, id, status, best };
    }
    const open = () => auction.open({ seller: "gallery", seconds });
    const done = await repeated(random, kind === "open" ? open : () => auction.bid({ bidder, amount }));
    if ("refused" in done) return undefined;
    return kind === "open" ? { kind, id } : { kind, id, bidder, amount };
  },

  async check({ object, answers }) {
    const deeds = deedsOf(answers);

    const ids = ofKind(deeds, "open").map(({ id }) => id);
    same("auctions that were opened twice", ids.length - new Set(ids).size, 0);
    const auctions = await Promise.all(ids.map(async (id) => ({ id, ...(await object(Auction, id).view()) })));
    for (const { id, status, best, asked } of auctions) {
      same(`auction ${id}`, { status, asked }, { status: "closed", asked: [] });
      const bids = ofKind(deeds, "bid").filter(
        (bid) => bid.id === id && bid.bidder === best?.bidder && bid.amount === best.amount,
      );
      same(`whether somebody made the best bid of ${id}`, best === null || bids.length > 0, true);
      const ends = ofKind(deeds, "view").filter((view) => view.id === id && view.status === "closed");
      for (const end of ends) same(`the best bid of ${id}, after its end`, best, end.best);
    }
    const sold = auctions.flatMap(({ best }) => best ?? []);
    const gallery = await object(Wallet, "gallery").getBalance();
    same("the money of the gallery", gallery.balance, sum(sold));
    for (const bidder of BIDDERS) {
      const { balance } = await object(Wallet, bidder).getBalance();
      const earned = ofKind(deeds, "deposit").filter((deposit) => deposit.bidder === bidder);
      same(`the money of ${bidder}`, balance, sum(earned) - sum(sold.filter((best) => best.bidder === bidder)));
    }
  },
} satisfies Workload<Deed>;
