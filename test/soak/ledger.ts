/** What clients know of an object: what was acknowledged, and what may have happened besides. */
export interface Entry {
  acknowledged: number;
  /** Plain calls whose answer was lost when the host was killed. */
  unknown: number;
}

/** What all clients know, and which promises were broken. */
export class Ledger {
  readonly counters = new Map<string, Entry>();
  readonly journals = new Map<string, Entry>();
  readonly wallets = new Map<string, number>();
  /** Auctions that were opened, for a few seconds each. */
  readonly auctions: string[] = [];
  /** Money that those who bid and sell were given. */
  readonly funds = new Map<string, number>();
  /** Payments between accounts that were acknowledged, by payer. */
  readonly payments = new Map<string, number>();
  /** Looks at all accounts of a group at one moment. */
  counted = 0;
  readonly broken: string[] = [];
  /** Ms of up-time from a healthy call's first attempt to its answer. */
  longest = 0;
  calls = 0;
  reliable = 0;
  replayed = 0;
  /** Attempts that were repeated, by why. */
  readonly repeated: Record<string, number> = {};

  break(what: string): void {
    // The first ones say what there is to say.
    if (this.broken.length < 100) this.broken.push(what);
  }

  repeat(why: string): void {
    this.repeated[why] = (this.repeated[why] ?? 0) + 1;
  }

  entry(of: Map<string, Entry>, id: string): Entry {
    const entry = of.get(id) ?? { acknowledged: 0, unknown: 0 };
    of.set(id, entry);
    return entry;
  }

  /** Moves money between two wallets, or pays in with no `from`. */
  pay(to: string, amount: number, from?: string): void {
    this.wallets.set(to, (this.wallets.get(to) ?? 0) + amount);
    if (from !== undefined) this.wallets.set(from, (this.wallets.get(from) ?? 0) - amount);
  }
}
