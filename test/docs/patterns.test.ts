import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ObjectClass } from "edgeverse";
import { simulateSeeds, TestCluster, type WorkloadClient } from "edgeverse/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Wallet } from "../../examples/wallet.ts";
import { blocksOf } from "./blocks.ts";

const HERE = import.meta.dirname;
const EXAMPLES = join(HERE, "../../examples");
const folder = mkdtempSync(join(HERE, ".patterns-"));
/** Every class of docs/patterns.md, by its name. */
const page: Record<string, ObjectClass> = {};

beforeAll(async () => {
  cpSync(EXAMPLES, folder, { recursive: true });
  for (const [index, { module, classes }] of blocksOf("docs/patterns.md").entries()) {
    if (classes.length === 0) continue;
    const file = join(folder, `block-${index}.ts`);
    writeFileSync(file, module);
    const exported = (await import(file)) as Record<string, ObjectClass>;
    for (const name of classes) page[name] = exported[name] as ObjectClass;
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function classes(...names: string[]): ObjectClass[] {
  return names.map((name) => {
    const found = page[name];
    if (found === undefined) throw new Error(`docs/patterns.md has no class ${name}`);
    return found;
  });
}

/** An object of a class of the page, of which the compiler knows nothing. */
function at({ object }: WorkloadClient, name: string, id: string, callId?: string) {
  const [type] = classes(name) as [ObjectClass];
  const stub: unknown = object(type, id, callId === undefined ? {} : { callId });
  return stub as Record<string, (request?: unknown) => Promise<unknown>>;
}

describe("calls in a circle", () => {
  it("[TURN7] go one way when the request brings what the other needs", async () => {
    const cluster = new TestCluster({ objects: classes("Raid", "Hero"), partitions: 2 });
    expect(await cluster.call("Raid", "r", "join", { hero: "ann" })).toEqual({ heroes: ["ann"] });
  });

  it("[TURN7] come back into a reentrant object, and fail without that", async () => {
    const [Basket, Rules] = classes("Basket", "Rules") as [ObjectClass, ObjectClass];
    const cluster = new TestCluster({ objects: [Basket, Rules], partitions: 2 });
    expect(await cluster.call("Basket", "b", "add", { item: "pen" })).toEqual({ count: 1 });
    expect(await cluster.call("Basket", "b", "add", { item: "ink" })).toEqual({ count: 2 });
    const full = cluster.call("Basket", "b", "add", { item: "cup" });
    await expect(full).rejects.toMatchObject({ code: "CALL_FAILED", reason: "BASKET_FULL" });

    const Strict = class extends Basket {
      static override readonly reentrant = false;
    };
    const strict = new TestCluster({ objects: [Strict, Rules] });
    await expect(strict.call("Basket", "b", "add", { item: "pen" })).rejects.toMatchObject({ code: "DEADLOCK" });
  });
});

describe("one call to many objects", () => {
  it("[CALL1] reaches every object once, also when it is repeated, and counts refusals", async () => {
    const cluster = new TestCluster({ objects: classes("Newsletter", "Reader"), partitions: 2 });
    const readers = Array.from({ length: 40 }, (_, n) => `reader-${n}`);
    for (const reader of readers) await cluster.call("Newsletter", "n", "subscribe", { reader });
    for (let n = 0; n < 100; n++) await cluster.call("Reader", "reader-0", "receive", { issue: "old" });
    for (const _ of ["first", "again"]) {
      const sent = await cluster.call("Newsletter", "n", "send", { issue: "new" }, { callId: "issue-1" });
      expect(sent).toEqual({ sent: 39, refused: 1 });
    }
    for (const reader of readers.slice(1)) expect(await cluster.call("Reader", reader, "list")).toEqual(["new"]);
  });

  it("[CALL2] reaches every object once under crashes and moves", async () => {
    await simulateSeeds({
      seeds: 3,
      workload: {
        objects: classes("Newsletter", "Reader"),
        calls: 20,
        async call(client) {
          const news = at(client, "Newsletter", "news", `c${client.n}`);
          if (client.n < 10) await news.subscribe?.({ reader: `reader-${client.n}` });
          else return (await news.send?.({ issue: `issue ${client.n}` })) as { sent: number };
          return { sent: 0 };
        },
        async check(client) {
          const sent = client.answers.reduce((all, { answer }) => all + (answer?.sent ?? 0), 0);
          const ids = Array.from({ length: 10 }, (_, n) => `reader-${n}`);
          const lists = (await Promise.all(ids.map((id) => at(client, "Reader", id).list?.()))) as string[][];
          if (lists.some((issues) => new Set(issues).size < issues.length)) throw new Error("an issue came twice");
          if (lists.flat().length !== sent || sent < 10) throw new Error(`${lists.flat().length} of ${sent} arrived`);
        },
      },
    });
  });
});

describe("an index", () => {
  it("[ID5] lets a name have one owner", async () => {
    const cluster = new TestCluster({ objects: classes("Handle") });
    await cluster.call("Handle", "ann", "claim", { account: "7" });
    await cluster.call("Handle", "ann", "claim", { account: "7" });
    await expect(cluster.call("Handle", "ann", "claim", { account: "8" })).rejects.toMatchObject({ reason: "TAKEN" });
    expect(await cluster.call("Handle", "ann", "owner")).toEqual({ account: "7" });
  });

  it("[OBJ3] finds objects over all its buckets, by their present titles", async () => {
    const cluster = new TestCluster({ objects: classes("Product", "Titles", "Catalog"), partitions: 2 });
    for (let n = 0; n < 60; n++) {
      await cluster.call("Product", `p${n}`, "rename", { title: `chair ${n}` }, { callId: `r${n}` });
    }
    await cluster.call("Product", "p7", "rename", { title: "table" }, { callId: "again" });
    const find = async (prefix: string) => await cluster.call("Catalog", "all", "find", { prefix });
    expect(await find("table")).toEqual([{ title: "table", product: "p7" }]);
    expect(await find("chair 7")).toEqual([]);
    expect(await find("chair 5")).toHaveLength(11);
  });
});

describe("what is quoted", () => {
  it.each([
    ["Auction", "auction.ts"],
    ["Match", "match.ts"],
    ["Order", "order.ts"],
  ])("is an example, word for word: %s", (name, file) => {
    const [block] = blocksOf("docs/patterns.md").filter(({ classes }) => classes.includes(name));
    expect(readFileSync(join(EXAMPLES, file), "utf8")).toContain(block?.code);
  });
});

describe("large collections", () => {
  it("[OBJ4] keep the newest rows and are read in pages", async () => {
    const cluster = new TestCluster({ objects: classes("Feed") });
    for (let n = 1; n <= 1_010; n++) await cluster.call("Feed", "ann", "post", { text: `${n}` });
    const texts: string[] = [];
    for (let cursor: string | undefined, pages = 0; pages === 0 || cursor !== undefined; pages++) {
      const page = await cluster.call("Feed", "ann", "newest", cursor === undefined ? {} : { cursor });
      const { rows, cursor: next } = page as { rows: { value: { text: string } }[]; cursor?: string };
      texts.push(...rows.map(({ value }) => value.text));
      cursor = next;
    }
    expect(texts).toEqual(Array.from({ length: 1_000 }, (_, index) => `${1_010 - index}`));
    expect(await cluster.call("Feed", "ann", "post", { text: "last" })).toEqual({ count: 1_000 });
  });
});

describe("changes to two objects", () => {
  it("[CALL1] a transfer takes effect once however often it is run", async () => {
    const cluster = new TestCluster({ objects: [...classes("Transfer"), Wallet], partitions: 2 });
    await cluster.call("Wallet", "ann", "deposit", { amount: 30 });
    const order = { from: "ann", to: "bob", amount: 20 };
    for (const callId of ["t1", "t1", "t2"]) {
      expect(await cluster.call("Transfer", "t1", "run", order, { callId })).toEqual({ status: "done" });
    }
    expect(await cluster.call("Wallet", "ann", "getBalance")).toEqual({ balance: 10 });
    expect(await cluster.call("Wallet", "bob", "getBalance")).toEqual({ balance: 20 });
    expect(await cluster.call("Transfer", "t2", "run", order, { callId: "t2" })).toEqual({ status: "refused" });
    const other = cluster.call("Transfer", "t1", "run", { ...order, amount: 1 });
    await expect(other).rejects.toMatchObject({ reason: "ANOTHER_ORDER" });
  });

  it("[CALL2] no money is lost or made under crashes and moves", async () => {
    await simulateSeeds({
      seeds: 5,
      workload: {
        objects: [...classes("Transfer"), Wallet],
        calls: 40,
        async call(client) {
          const { n, random, object } = client;
          const [from = "", to = ""] = random.pick([
            ["ann", "bob"],
            ["bob", "ann"],
            ["ann", "eve"],
          ]);
          if (n < 4) await object(Wallet, from, { callId: `d${n}` }).deposit({ amount: 50 });
          else await at(client, "Transfer", `t${n}`, `t${n}`).run?.({ from, to, amount: 30 });
        },
        async check({ object, answers }) {
          const balances = await Promise.all(["ann", "bob", "eve"].map((id) => object(Wallet, id).getBalance()));
          const sum = balances.reduce((all, { balance }) => all + balance, 0);
          if (sum !== 200) throw new Error(`${sum} instead of 200`);
          const failed = answers.filter(({ error }) => error !== undefined);
          if (failed.length > 0) throw new Error(`${failed.length} calls failed: ${failed[0]?.error}`);
        },
      },
    });
  });
});
