import { method, type RequestOf, VirtualObject } from "edgeverse";
import { SqliteStorage, TestCluster } from "edgeverse/testing";
import { z } from "zod";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";

export const gates = new Map<string, () => void>();
export const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
export const open = (name: string) => gates.get(name)?.();
/** What hooks were run. */
export const hooks: string[] = [];
/** How often a transfer's method was begun. */
export const runs = { transfers: 0 };

const amount = z.object({ amount: z.number().int() });
const transfer = z.object({
  from: z.string(),
  to: z.string(),
  amount: z.number().int(),
  gate: z.string().optional(),
  after: z.string().optional(),
});

/** Money, moved in every way that tests need. */
export class Account extends VirtualObject<{ balance: number; notes: string[] }> {
  static override readonly type = "Account";
  static override readonly state = z.object({
    balance: z.number().int().min(0).default(100),
    notes: z.array(z.string()).default([]),
  });
  static override readonly methods = {
    get: method({ readonly: true }),
    withdraw: method({ request: amount }),
    deposit: method({ request: amount }),
    slowDeposit: method({ request: amount.extend({ gate: z.string() }) }),
    transfer: method({ request: transfer }),
    pay: method({ request: z.object({ to: z.string(), amount: z.number().int() }) }),
    payLate: method({ request: z.object({ to: z.string(), gate: z.string() }) }),
    peekAll: method({ readonly: true, request: z.object({ ids: z.array(z.string()) }) }),
    close: method(),
    overdraw: method(),
    remember: method(),
    recall: method({ readonly: true }),
    depositAt: method({ request: z.object({ to: z.string() }) }),
    payThrough: method({ request: z.object({ desk: z.string(), to: z.string() }) }),
    promise: method({ request: z.object({ to: z.string() }) }),
    nest: method({ request: z.object({ to: z.string() }) }),
    note: method({ request: z.object({ text: z.string() }) }),
  };
  #remembered = 0;

  protected override onCreate() {
    hooks.push(`create ${this.id}`);
  }
  protected override onDelete() {
    hooks.push(`delete ${this.id} with ${this.state.balance}`);
  }

  get() {
    return this.state.balance;
  }
  withdraw({ amount }: RequestOf<typeof Account.methods.withdraw>) {
    if (this.state.balance < amount) this.fail("INSUFFICIENT_FUNDS", `balance is ${this.state.balance}`);
    this.state.balance -= amount;
    this.store.put("last", -amount);
    return this.state.balance;
  }
  deposit({ amount }: RequestOf<typeof Account.methods.deposit>) {
    this.state.balance += amount;
    this.store.put("last", amount);
    return this.state.balance;
  }
  async slowDeposit({ amount, gate: name }: RequestOf<typeof Account.methods.slowDeposit>) {
    const before = this.state.balance;
    await gate(name);
    this.state.balance = before + amount;
  }
  /** Between two others, or itself and another. */
  async transfer({ from, to, amount, gate: name, after }: RequestOf<typeof Account.methods.transfer>): Promise<string> {
    runs.transfers++;
    await this.transact(
      [
        [Account, from],
        [Account, to],
      ],
      async (payer, payee) => {
        await payer.withdraw({ amount });
        if (name !== undefined) await gate(name);
        await payee.deposit({ amount });
      },
    );
    if (after !== undefined) await gate(after);
    return "done";
  }
  async pay({ to, amount }: RequestOf<typeof Account.methods.pay>): Promise<number> {
    runs.transfers++;
    if (this.state.balance < amount) this.fail("INSUFFICIENT_FUNDS", "too little");
    return await this.transact([[Account, to]], async (payee) => {
      this.state.balance -= amount;
      await payee.deposit({ amount });
      return this.state.balance;
    });
  }
  /** Awaits something before its transaction. */
  async payLate({ to, gate: name }: RequestOf<typeof Account.methods.payLate>): Promise<void> {
    await gate(name);
    await this.transact([[Account, to]], async (payee) => {
      this.state.balance -= 1;
      await payee.deposit({ amount: 1 });
    });
  }
  async peekAll({ ids }: { ids: string[] }): Promise<number[]> {
    return Promise.all(ids.map((id) => this.object(Account, id).get()));
  }
  close() {
    this.deleteSelf();
  }
  overdraw() {
    this.state.balance = -1;
  }
  remember() {
    this.#remembered++;
    return this.#remembered;
  }
  recall() {
    return this.#remembered;
  }
  async depositAt({ to }: { to: string }): Promise<void> {
    await this.object(Account, to).deposit({ amount: 1 });
  }
  /** Asks another object to transfer from here, and waits for it. */
  async payThrough({ desk, to }: { desk: string; to: string }): Promise<void> {
    await this.object(Account, desk).transfer({ from: this.id, to, amount: 1 });
  }
  /** Sends a deposit that commits with whatever this is part of. */
  promise({ to }: { to: string }): void {
    this.outbox(Account, to).deposit({ amount: 1 });
  }
  async nest({ to }: { to: string }): Promise<void> {
    await this.transact([[Account, to]], async (other) => {
      await other.deposit({ amount: 1 });
    });
  }
  note({ text }: { text: string }) {
    this.state.notes.push(text);
  }
}

/** Must be created. */
export class Vault extends VirtualObject<{ gold: number }> {
  static override readonly type = "Vault";
  static override readonly state = z.object({ gold: z.number().default(0) });
  static override readonly autoCreate = false;
  static override readonly methods = { put: method(), get: method({ readonly: true }) };
  put() {
    return ++this.state.gold;
  }
  get() {
    return this.state.gold;
  }
}

export type Story = (hands: Desk["hands"]) => unknown;
/** What the next method of a desk does. */
export const stories = new Map<string, Story>();

/** Does what a test says. */
export class Desk extends VirtualObject<{ log: string[] }> {
  static override readonly type = "Desk";
  static override readonly state = z.object({ log: z.array(z.string()).default([]) });
  static override readonly timeout = "5s";
  static override readonly methods = {
    run: method({ request: z.object({ story: z.string() }) }),
    read: method({ readonly: true, request: z.object({ story: z.string() }) }),
    entries: method({ readonly: true }),
    write: method({ request: z.object({ text: z.string() }) }),
  };
  async run({ story }: { story: string }): Promise<unknown> {
    return (await stories.get(story)?.(this.hands)) ?? null;
  }
  async read({ story }: { story: string }): Promise<unknown> {
    return (await stories.get(story)?.(this.hands)) ?? null;
  }
  entries() {
    return this.state.log;
  }
  write({ text }: { text: string }) {
    this.state.log.push(text);
  }
  /** What stories can do. */
  get hands() {
    return {
      transact: this.transact.bind(this),
      object: this.object.bind(this),
      log: (text: string) => this.state.log.push(text),
    };
  }
}

/** A database that takes no value with the word POISON. */
class PickyStorage extends SqliteStorage {
  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    const writes = /^\s*(INSERT|UPDATE)/.test(sql);
    if (writes && params.some((param) => String(param).includes("POISON"))) throw new Error("SQLITE_CONSTRAINT");
    return super.query<Row>(sql, ...params);
  }
}

/** Objects of `shard#3/…` unless a test says otherwise. */
export function setup(config: { partitions?: number; mailbox?: number } = {}) {
  gates.clear();
  hooks.length = 0;
  stories.clear();
  runs.transfers = 0;
  const made = new TestCluster({
    objects: [Account, Vault, Desk],
    config: { shards: 8, ...config },
    storageOf: () => new PickyStorage(),
  });
  const balance = (name: string) => made.call("Account", `shard#3/${name}`, "get");
  const account = (name: string, options = {}) => made.object(Account, `shard#3/${name}`, options);
  /** Runs a story at a desk. */
  const run = (story: Story, options: { timeout?: number; callId?: string; method?: string } = {}) => {
    const name = `story ${stories.size}`;
    stories.set(name, story);
    const { method: name_ = "run", ...rest } = options;
    return made.call("Desk", "shard#3/desk", name_, { story: name }, rest);
  };
  return { made, balance, account, run };
}
