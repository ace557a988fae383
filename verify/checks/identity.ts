import type { Check } from "../check.ts";
import type { Cluster } from "../cluster.ts";
import { equal, isProblem } from "../expect.ts";
import { NotApplicable } from "../failure.ts";
import { EdgeverseProbe, EdgeverseProbeMember } from "../probe.ts";

/** Ids and the FNV-1a hashes of their UTF-8 bytes. */
const HASHES: readonly (readonly [string, string])[] = [
  ["a", "e40c292c"],
  ["foobar", "bf9cf968"],
  ["grün 🌍", "2f7d514b"],
];
const MALFORMED = ["a/b", "shard#01/x", "shard#1/", "partition#/x", "a\u0007b", "x".repeat(513)];

const { type } = EdgeverseProbe;

/** @throws NotApplicable */
async function shardCount(cluster: Cluster): Promise<number> {
  const { shards } = await cluster.get<{ shards: number }>("shard-count");
  if (shards > 0) return shards;
  throw new NotApplicable("no call has reached this cluster yet, so it has no shard count");
}

export const identityChecks: readonly Check[] = [
  {
    rule: "ID1",
    title: "a malformed type or id is refused with INVALID_ID, and one of 512 bytes is taken",
    async run({ send }) {
      const look = (type: string, id: string) =>
        send({ path: `/api/v1/objects/calls/${type}/${encodeURIComponent(id)}/call-id` });
      for (const id of MALFORMED)
        isProblem(await look(type, id), 400, "INVALID_ID", `id ${JSON.stringify(id.slice(0, 20))}`);
      for (const name of ["1x", "a-b"]) isProblem(await look(name, "a"), 400, "INVALID_ID", `type ${name}`);
      isProblem(await look(type, "x".repeat(512)), 404, "CALL_NOT_FOUND", "an id of 512 bytes");
    },
  },
  {
    rule: "ID2",
    title: "an id's shard is its FNV-1a hash modulo the shard count",
    needs: ["admin"],
    async run({ cluster }) {
      const shards = await shardCount(cluster);
      for (const [id, hash] of HASHES) {
        const view = await cluster.object(type, id);
        equal([view.hash, view.shard], [hash, Number.parseInt(hash, 16) % shards], `hash and shard of ${id}`);
      }
    },
  },
  {
    rule: "ID3",
    title: "shard#n/… is on shard n, and an n that there is not is INVALID_ID",
    needs: ["admin"],
    async run({ cluster, admin }) {
      const shards = await shardCount(cluster);
      for (const shard of [0, shards - 1]) {
        equal((await cluster.object(type, `shard#${shard}/x`)).shard, shard, `shard of shard#${shard}/x`);
      }
      const beyond = encodeURIComponent(`shard#${shards}/x`);
      isProblem(await admin("GET", `objects/${type}/${beyond}`), 400, "INVALID_ID", `shard#${shards}/x`);
    },
  },
  {
    rule: "ID4",
    title: "partition#p/… is on partition p, outside every shard, and another p is INVALID_ID",
    needs: ["admin"],
    async run({ cluster, admin, facts, name }) {
      for (const partition of facts.partitions) {
        const { partition: found, shard } = await cluster.object(type, `partition#${partition}/x`);
        equal([found, shard], [partition, null], `partition and shard of partition#${partition}/x`);
      }
      const nowhere = encodeURIComponent(`partition#${name()}/x`);
      isProblem(await admin("GET", `objects/${type}/${nowhere}`), 400, "INVALID_ID", "a partition that there is not");
    },
  },
  {
    rule: "ID5",
    title: "two types with one id are two objects",
    needs: ["probes"],
    async run({ probe, object }) {
      const first = probe();
      const second = object(EdgeverseProbeMember.type, first.id);
      await first.call("add", { by: 7 });
      equal((await second.create({ name: "second" })).status, 201, "creating the second");
      equal(await first.count(), 7, "the first's count");
    },
  },
];
