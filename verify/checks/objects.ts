import type { Check } from "../check.ts";
import { bodyOf, equal, isProblem, isTrue } from "../expect.ts";
import { EdgeverseProbeMember } from "../probe.ts";

export const objectChecks: readonly Check[] = [
  {
    rule: "OBJ1",
    title: "only declared methods can be called",
    needs: ["probes"],
    async run({ probe }) {
      for (const method of ["undeclared", "constructor", "toString", "onDelete"]) {
        isProblem(await probe().send(method), 404, "METHOD_NOT_FOUND", method);
      }
    },
  },
  {
    rule: "OBJ2",
    title: "a request that does not fit is INVALID_ARGUMENT with its paths, and nothing runs",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      const answer = await object.send("add", { by: "one" });
      isProblem(answer, 400, "INVALID_ARGUMENT", "a text in place of a number");
      const { details } = answer.json as { details?: { issues?: { path: unknown[] }[] } };
      equal(details?.issues?.[0]?.path.at(-1), "by", "the path of the first issue");
      equal(await object.count(), 0, "the count after it");
    },
  },
  {
    rule: "OBJ2",
    title: "no request and null are the same, and a response that is not JSON rolls back with INVALID_RESPONSE",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      await object.call("add");
      equal((await object.send("add", null)).status, 200, "the status for null");
      isProblem(await object.send("answerBigInt"), 500, "INVALID_RESPONSE", "a BigInt as response");
      equal(await object.count(), 2, "the count after it");
    },
  },
  {
    rule: "OBJ4",
    title: "a turn that leaves a state that does not fit rolls back with STATE_INVALID",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      await object.call("add", { by: 3 });
      isProblem(await object.send("spoil"), 500, "STATE_INVALID", "a text in place of a number");
      equal(await object.count(), 3, "the count after it");
    },
  },
  {
    rule: "OBJ8",
    title: "rows are in the order of the UTF-8 bytes of their keys, page by page",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      // UTF-16 would have the emoji before the last one.
      const keys = ["a", "a1", "b", "é", "｡", "🌍"];
      await object.call("put", { keys: keys.toReversed() });
      const found: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < keys.length; page++) {
        const { keys: some, cursor: next } = await object.call("rows", {
          limit: 4,
          ...(cursor === undefined ? {} : { cursor }),
        });
        found.push(...some);
        if (next === null) break;
        cursor = next;
      }
      equal(found, keys, "all keys in order");
      equal((await object.call("rows", { prefix: "a", limit: 9 })).keys, ["a", "a1"], "keys that begin with a");
    },
  },
  {
    rule: "LIFE1",
    title: "the first call that is not readonly creates an object, unless it fails; a readonly one does not",
    needs: ["probes", "admin"],
    async run({ probe, cluster }) {
      const object = probe();
      const exists = async () => (await cluster.object(object.type, object.id)).exists;
      equal(await object.count(), 0, "the default count");
      equal(await exists(), false, "whether a readonly call made it");
      isProblem(await object.send("refuse", { reason: "NO" }), 422, "CALL_FAILED", "a call that fails");
      equal(await exists(), false, "whether a call that failed made it");
      await object.call("add");
      equal(await exists(), true, "whether a call made it");
    },
  },
  {
    rule: "LIFE1",
    title: "with autoCreate: false, a call to an object that was not created is OBJECT_NOT_FOUND",
    needs: ["probes"],
    async run({ object, name }) {
      const member = object(EdgeverseProbeMember.type, name());
      isProblem(await member.send("name"), 404, "OBJECT_NOT_FOUND", "a call before creation");
    },
  },
  {
    rule: "LIFE3",
    title: "deleting removes state and rows, and the next call finds a new object",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      await object.call("add", { by: 5 });
      await object.call("put", { keys: ["a"] });
      for (const round of ["first", "second"]) {
        equal(bodyOf(await object.delete(), `the ${round} deletion`), { success: true }, `the ${round} deletion`);
      }
      equal(await object.count(), 0, "the count after it");
      equal((await object.call("rows", { limit: 9 })).keys, [], "the rows after it");
    },
  },
  {
    rule: "LIFE5",
    title: "creating takes a request: 201, then 200 without effect; one that does not fit is refused",
    needs: ["probes"],
    async run({ object, name }) {
      const member = object(EdgeverseProbeMember.type, name());
      isProblem(await member.create({ name: 1 }), 400, "INVALID_ARGUMENT", "a number as name");
      equal(bodyOf(await member.create({ name: "ann" }), "creating", 201), { id: member.id }, "the answer");
      equal((await member.create({ name: "bob" })).status, 200, "the status of creating it again");
      const answer = await member.send("name");
      isTrue(answer.text.includes('"ann"'), `its name is not "ann": ${answer.text}`);
    },
  },
];
