import type { Check } from "../check.ts";
import { bodyOf, equal, isProblem, isTrue } from "../expect.ts";
import { EdgeverseProbe } from "../probe.ts";

const VIEWS = [
  "cluster",
  "partitions",
  "shards?limit=1",
  "objects?limit=1",
  "moves?limit=1",
  "audit?limit=1",
  "shard-count",
];

export const adminChecks: readonly Check[] = [
  {
    rule: "ACC3",
    title: "the admin API lets nobody in without the token",
    async run({ send, facts }) {
      const [status, code] = facts.admin ? [401, "UNAUTHENTICATED"] : [undefined, undefined];
      for (const path of ["/admin/v1/cluster", "/admin/v1/calls", "/admin/v1/no-such-route"]) {
        for (const authorization of [undefined, "Bearer wrong", "Basic d3Jvbmc6", "Bearer "]) {
          const answer = await send({ path, ...(authorization === undefined ? {} : { headers: { authorization } }) });
          const what = `${path} with ${authorization ?? "no"} authorization`;
          if (status !== undefined && code !== undefined) isProblem(answer, status, code, what);
          // Without a token of the host's there is no admin API.
          else isTrue(answer.status === 401 || answer.status === 404, `${what} answers ${answer.status}`);
        }
      }
    },
  },
  {
    rule: "HTTP11",
    title: "every view answers, and refuses what it does not know",
    needs: ["admin"],
    async run({ admin }) {
      for (const path of VIEWS) bodyOf(await admin("GET", path), path);
      isProblem(await admin("GET", "shards?partion=p0"), 400, "INVALID_ARGUMENT", "an unknown member of a query");
      isProblem(
        await admin("POST", "rebalance", { dryrun: true }),
        400,
        "INVALID_ARGUMENT",
        "an unknown member of a body",
      );
      const misplaced = await admin("POST", "rebalance?dryRun=true", {});
      isProblem(misplaced, 400, "INVALID_ARGUMENT", "a dryRun in the query of a change");
    },
  },
  {
    rule: "HTTP11",
    title: "lists come in pages, and each page leads to the next",
    needs: ["admin"],
    async run({ cluster, facts }) {
      const most = Math.min(6, facts.shards);
      const found: number[] = [];
      let cursor = "";
      while (found.length < most) {
        const page = await cluster.get<{ shards: { shard: number }[]; cursor?: string }>(`shards?limit=2${cursor}`);
        found.push(...page.shards.map(({ shard }) => shard));
        if (page.cursor === undefined) break;
        cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
      }
      equal(
        found.slice(0, most),
        Array.from({ length: most }, (_, shard) => shard),
        "the shards of the first pages",
      );
    },
  },
  {
    rule: "HTTP11",
    title: "the list of a type's objects has what was stored",
    needs: ["probes", "admin"],
    async run({ cluster, facts, probe, name }) {
      const shard = await cluster.quietShard(facts.shards);
      const object = probe(`shard#${shard}/${name()}`);
      await object.call("add", { by: 1 });
      const found = await cluster.get<{ objects: { id: string; shard: number }[] }>(
        `objects?type=${EdgeverseProbe.type}&shard=${shard}&limit=100`,
      );
      isTrue(
        found.objects.some(({ id, shard: on }) => id === object.id && on === shard),
        `it does not have ${object.id}`,
      );
    },
  },
  {
    rule: "MAP4",
    title: "an operator sees where an object is, and why",
    needs: ["probes", "admin"],
    async run({ cluster, facts, probe }) {
      const object = probe();
      await object.call("add", { by: 1 });
      const { partition, shard, epoch, exists, why } = await cluster.object(object.type, object.id);
      equal(exists, true, "exists");
      isTrue(why !== "" && epoch >= 1, `why is "${why}", epoch ${epoch}`);
      const view = await cluster.shard(shard as number);
      equal([view.partition, view.epoch, view.claimed], [partition, epoch, true], "the view of its shard");
      isTrue(facts.partitions.includes(partition), `it is at ${partition}, which is no partition`);
    },
  },
  {
    rule: "PLAN3",
    title: "a dry run of balancing shows the plan with its numbers, and changes nothing",
    needs: ["admin"],
    async run({ cluster, facts }) {
      const newest = async () => (await cluster.get<{ entries: { seq: number }[] }>("audit?limit=1")).entries;
      const before = await newest();
      const plan = await cluster.order<{ dryRun: boolean; stats: { members: { name: string }[] } }>(
        "POST",
        "rebalance",
        {
          dryRun: true,
        },
      );
      equal(plan.dryRun, true, "dryRun");
      const members = plan.stats.members.map(({ name }) => name);
      isTrue(
        facts.partitions.every((name) => members.includes(name)),
        `its numbers are of ${members.join(", ")}`,
      );
      equal(await newest(), before, "the newest entry of the audit");
    },
  },
  {
    rule: "SPLIT1",
    title: "a dry run of doubling and of halving the shards says what it takes, and changes nothing",
    needs: ["admin"],
    async run({ cluster, admin }) {
      const { shards, target } = await cluster.get<{ shards: number; target: number | null }>("shard-count");
      for (const count of [shards * 2, shards / 2].filter((each) => each >= 1 && each <= 65_536)) {
        const view = await cluster.order<{ shards: number; dryRun: boolean }>("POST", "shard-count", {
          count,
          dryRun: true,
        });
        equal([view.shards, view.dryRun], [shards, true], `the dry run for ${count}`);
      }
      isProblem(await admin("POST", "shard-count", { count: 3 }), 400, "INVALID_ARGUMENT", "three shards");
      equal((await cluster.get<{ target: number | null }>("shard-count")).target, target, "the target after them");
    },
  },
];
