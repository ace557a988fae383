import type { Check, CheckContext } from "../check.ts";
import { bodyOf, equal, isProblem } from "../expect.ts";

interface Page {
  readonly objects: readonly { readonly id: string; readonly value: number }[];
  readonly cursor?: string;
}

const QUERY = "/api/v1/objects/query/EdgeverseProbe";

/** A count that nobody else has: the index has no small ones. */
const ownCount = () => 1_000_000 + Math.floor(Math.random() * 1e15);

async function found({ admin }: CheckContext, query: string): Promise<Page> {
  return bodyOf<Page>(await admin("GET", `${QUERY}?index=count&${query}`), query);
}

export const indexChecks: readonly Check[] = [
  {
    rule: "IDX1",
    title: "an object is found by what its last turn left, and not by what a failed one would have",
    needs: ["probes", "admin"],
    async run(context) {
      const [a, count] = [context.probe(), ownCount()];
      const ids = async (value: number) => (await found(context, `value=${value}`)).objects.map(({ id }) => id);
      await a.call("add", { by: count });
      equal(await ids(count), [a.id], "found by its count");
      await a.send("refuse", { reason: "ASKED" });
      equal([await ids(count), await ids(count + 1_000)], [[a.id], []], "found after a turn that failed");
      await a.call("add", { by: 1 });
      equal([await ids(count), await ids(count + 1)], [[], [a.id]], "found after a turn that changed it");
    },
  },
  {
    rule: "IDX2",
    title: "a query finds objects of all partitions in order, page after page; only operators may ask",
    needs: ["probes", "admin"],
    async run(context) {
      const first = ownCount();
      const probes = Array.from({ length: 5 }, () => context.probe());
      for (const [place, probe] of probes.entries()) await probe.call("add", { by: first + place });
      const bounds = `from=${first}&to=${first + probes.length}&limit=2`;
      const ids: string[] = [];
      for (let cursor = "", pages = 0; pages < 100; pages++) {
        const page = await found(context, `${bounds}${cursor}`);
        ids.push(...page.objects.map(({ id }) => id));
        if (page.cursor === undefined) break;
        cursor = `&cursor=${page.cursor}`;
      }
      const all = probes.map(({ id }) => id);
      equal(ids, all, "the pages of all");
      const { objects } = await found(context, `${bounds}&order=desc`);
      const backwards = objects.map(({ id }) => id);
      equal(backwards, all.slice(-2).reverse(), "the last two");
      isProblem(await context.admin("GET", `${QUERY}?index=none`), 400, "INVALID_ARGUMENT", "an unknown index");
      const without = await context.send({ path: `${QUERY}?index=count` });
      isProblem(without, 403, "ACCESS_DENIED", "a query without the token");
    },
  },
];
