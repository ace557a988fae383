import { type CallOutcome, callOutcome, method, type RequestOf, VirtualObject } from "edgeverse";
import * as z from "zod";
import { Wallet } from "./wallet.ts";

/** Names that are ids of wallets. */
const name = z.string().regex(/^[\w-]{1,64}$/);
const bid = z.object({ bidder: name, amount: z.number().int().min(1).max(1_000_000_000) });

const state = z.object({
  status: z.enum(["new", "open", "closed"]).default("new"),
  seller: z.string().default(""),
  endsAt: z.number().default(0),
  /** The highest bid. Its money is here. */
  best: bid.nullable().default(null),
  /** Bids whose money is not here yet. */
  asked: z.array(bid.extend({ callId: z.string() })).default([]),
});

/**
 * Sells one thing to the highest bidder, and closes itself. The invariants: it closes once, the seller gets the highest
 * bid, and everybody else has his money back.
 */
export class Auction extends VirtualObject.withState(state) {
  static override readonly type = "Auction";
  /** Everybody may watch it. */
  static override readonly live = { anonymous: true };
  static override readonly methods = {
    open: method({ request: z.object({ seller: name, seconds: z.number().int().min(1).max(2_592_000) }) }),
    bid: method({ request: bid }),
    paid: method({ internal: true, request: callOutcome }),
    close: method({ internal: true }),
    view: method({ readonly: true }),
  };
  /** Finds the auctions that are open, by the time of their end. */
  static override readonly index = {
    open: ({ status, endsAt }: z.output<typeof state>) => (status === "open" ? endsAt : undefined),
  };

  open({ seller, seconds }: RequestOf<typeof Auction.methods.open>) {
    if (this.state.status !== "new") this.fail("OPENED_BEFORE", `the auction is ${this.state.status}`);
    this.state.status = "open";
    this.state.seller = seller;
    this.state.endsAt = this.remind("close", { after: seconds * 1_000 }, "close");
    return this.view();
  }

  /** A bid counts as soon as its money is here. */
  bid({ bidder, amount }: RequestOf<typeof Auction.methods.bid>) {
    const { status, endsAt, best, asked } = this.state;
    if (status !== "open" || this.now() >= endsAt) this.fail("NOT_OPEN", "the auction takes no bids");
    if (best !== null && amount <= best.amount) this.fail("TOO_LOW", `${best.amount} is bid`);
    if (asked.length === 100) this.fail("TOO_MANY_BIDS", "100 bids are not paid yet");
    const callId = this.outbox(Wallet, bidder, { onOutcome: "paid" }).withdraw({ amount });
    asked.push({ bidder, amount, callId });
    return this.view();
  }

  paid({ callId, status }: CallOutcome) {
    const { asked, best } = this.state;
    const bid = asked.find((each) => each.callId === callId);
    this.state.asked = asked.filter((each) => each !== bid);
    if (bid === undefined || status !== "success") return;
    if (this.state.status === "open" && bid.amount > (best?.amount ?? 0)) {
      this.state.best = { bidder: bid.bidder, amount: bid.amount };
      if (best !== null) this.outbox(Wallet, best.bidder).deposit({ amount: best.amount });
    } else {
      this.outbox(Wallet, bid.bidder).deposit({ amount: bid.amount });
    }
  }

  close() {
    const { seller, best } = this.state;
    this.state.status = "closed";
    if (best !== null) this.outbox(Wallet, seller).deposit({ amount: best.amount });
  }

  view() {
    return this.state;
  }
}
