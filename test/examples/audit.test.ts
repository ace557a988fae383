import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { Wallet } from "../../examples/wallet.ts";
import { seeded } from "../end-to-end/wallet-traffic.ts";

const PARTITIONS = ["p0", "p1"] as const;
const WALLETS = ["ann", "bob", "cid", "dan", "eve", "fay"] as const;
const FUNDS = 100;
const STEPS = 400;

type Name = (typeof WALLETS)[number];

/** Reads the committed rows of whoever owns each wallet. Undefined while a shard is between two owners: nobody can read then. */
class Auditor {
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  look(): { readonly held: number; readonly underway: number } | undefined {
    const owners = WALLETS.map((name) => [name, this.#ownerOf(name)] as const);
    if (owners.some(([, owner]) => owner === undefined)) return undefined;
    let held = 0;
    const underway = new Map<string, number>();
    for (const [name, owner] of owners as [Name, string][]) {
      const [row] = this.#rows<{ state: string }>(
        owner,
        "SELECT state FROM objects WHERE type = 'Wallet' AND id = ?",
        name,
      );
      held += row === undefined ? 0 : (JSON.parse(row.state) as { balance: number }).balance;
      const messages = "SELECT call_id, request FROM outbox WHERE type = 'Wallet' AND id = ? AND method = 'deposit'";
      const accepted = "SELECT call_id, request FROM pending WHERE type = 'Wallet' AND id = ? AND method = 'deposit'";
      for (const sql of [messages, accepted])
        for (const { call_id, request } of this.#rows<{ call_id: string; request: string }>(owner, sql, name))
          underway.set(call_id, (JSON.parse(request) as { amount: number }).amount);
    }
    // What has been paid in is on its way no longer, though its message may wait for the word of it.
    for (const [name, owner] of owners as [Name, string][])
      for (const { call_id } of this.#rows<{ call_id: string }>(owner, "SELECT call_id FROM marks WHERE id = ?", name))
        underway.delete(call_id);
    return { held, underway: [...underway.values()].reduce((sum, amount) => sum + amount, 0) };
  }

  #ownerOf(name: Name): string | undefined {
    const placement = this.#cluster.registry.placement("Wallet", name);
    if (placement.kind === "partition") return placement.partition;
    const shard = placement.hash % this.#cluster.config.shards;
    const states = PARTITIONS.map(
      (partition) =>
        this.#rows<{ state: string }>(partition, "SELECT state FROM shards WHERE shard = ?", shard)[0]?.state,
    );
    const owned = PARTITIONS.filter((_, at) => states[at] === "owned" || states[at] === "leaving");
    return owned.length === 1 ? owned[0] : undefined;
  }

  #rows<Row extends Record<string, string | number | null>>(
    partition: string,
    sql: string,
    value: string | number,
  ): Row[] {
    return this.#cluster.storage(partition).query<Row>(sql, value);
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "[CALL7] money is neither lost nor made at any instant that an auditor could read (seed %i)",
  async (seed) => {
    const random = seeded(seed);
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
    using cluster = new TestCluster({ objects: [Wallet], partitions: 2, config: { shards: 8 } });
    for (const name of WALLETS) await cluster.object(Wallet, name).deposit({ amount: FUNDS });
    const auditor = new Auditor(cluster);
    const total = WALLETS.length * FUNDS;
    let [looks, seen] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      const dice = random();
      const callId = `t${step}`;
      if (dice < 0.3) {
        const transfer = cluster.object(Wallet, pick(WALLETS), { callId, timeout: 5_000 });
        void transfer.transfer({ to: pick(WALLETS), amount: 1 + Math.floor(random() * 30) }).catch(() => undefined);
      } else if (dice < 0.34) cluster.crash(pick(PARTITIONS), { afterCommits: Math.floor(random() * 3) });
      else if (dice < 0.4) void cluster.move(Wallet, pick(WALLETS), { to: pick(PARTITIONS) }).catch(() => undefined);
      else if (dice < 0.44) {
        const partition = pick(PARTITIONS);
        if (!cluster.unreachable.delete(partition)) cluster.unreachable.add(partition);
      }
      await cluster.clock.advance(Math.floor(random() * 20));
      const books = auditor.look();
      if (books === undefined) continue;
      looks++;
      if (books.underway > 0) seen++;
      expect(books.held + books.underway, `step ${step}: ${JSON.stringify(books)}`).toBe(total);
    }
    expect(looks).toBeGreaterThan(STEPS / 4);
    expect(seen).toBeGreaterThan(0);
    cluster.unreachable.clear();
    await cluster.clock.advance(600_000);
    expect(auditor.look()).toEqual({ held: total, underway: 0 });
  },
);
