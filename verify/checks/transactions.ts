import type { Check } from "../check.ts";
import { equal, isProblem, isTrue } from "../expect.ts";

export const transactionChecks: readonly Check[] = [
  {
    rule: "TX1",
    title: "objects of one shard change together, in both directions at once, or not at all",
    needs: ["probes"],
    async run({ probe, name }) {
      const [a, b] = [probe(`shard#0/${name()}`), probe(`shard#0/${name()}`)];
      const moves = Array.from({ length: 10 }, (_, index) =>
        index % 2 === 0 ? a.call("moveTo", { other: b.id, by: 3 }) : b.call("moveTo", { other: a.id, by: 1 }),
      );
      for (const { counts } of await Promise.all(moves)) equal((counts[0] ?? 0) + (counts[1] ?? 0), 0, "the sum");
      equal([await a.count(), await b.count()], [-10, 10], "the counts after ten moves");
      isProblem(await a.send("moveTo", { other: b.id, by: 5, fail: true }), 422, "CALL_FAILED", "a turn that fails");
      equal([await a.count(), await b.count()], [-10, 10], "the counts after it");
      const callId = name();
      for (let time = 0; time < 2; time++) await a.call("moveTo", { other: b.id, by: 1 }, { callId });
      equal([await a.count(), await b.count()], [-11, 11], "the counts after a reliable move, sent twice");
    },
  },
  {
    rule: "TX5",
    title: "objects that are not on one shard can't be taken together",
    needs: ["probes"],
    async run({ probe, name }) {
      const a = probe(`shard#0/${name()}`);
      const answer = await a.send("moveTo", { other: `partition#p0/${name()}`, by: 1 });
      isProblem(answer, 400, "INVALID_ARGUMENT", "a transaction over two places");
      isTrue(answer.text.includes("shard 0"), `it does not name the shard: ${answer.text}`);
      equal(await a.count(), 0, "the count after it");
    },
  },
];
