import type { Check } from "../check.ts";
import { equal, isProblem, isTrue } from "../expect.ts";

const TOO_LARGE = 1_850_000;

export const turnChecks: readonly Check[] = [
  {
    rule: "TURN1",
    title: "an object runs one turn at a time, also across an await",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      await Promise.all(["a", "b", "c", "d", "e"].map((text) => object.call("note", { text, ms: 20 })));
      const { notes } = await object.call("get");
      equal(notes.length, 10, "the number of notes");
      for (let at = 0; at < notes.length; at += 2) {
        equal(notes[at + 1], notes[at]?.replace("begins", "ends"), `what follows "${notes[at]}"`);
      }
    },
  },
  {
    rule: "TURN1",
    title: "no concurrent change is lost",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      const answers = await Promise.all(Array.from({ length: 30 }, () => object.call("add", { by: 1 })));
      const counts = answers.map(({ count }) => count).sort((a, b) => a - b);
      equal(
        counts,
        Array.from({ length: 30 }, (_, index) => index + 1),
        "the counts that the calls answered",
      );
    },
  },
  {
    rule: "TURN2",
    title: "a turn that fails leaves no trace, neither in the state nor in the rows",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      await object.call("add", { by: 1 });
      const refused = await object.send("refuse", { reason: "BECAUSE" });
      isProblem(refused, 422, "CALL_FAILED", "this.fail");
      const { reason, details, retryable } = refused.json as Record<string, unknown>;
      equal(
        { reason, details, retryable },
        { reason: "BECAUSE", details: { reason: "BECAUSE" }, retryable: false },
        "the problem",
      );
      isProblem(await object.send("throwError"), 500, "INTERNAL", "an error that was thrown");
      equal(await object.count(), 1, "the count after both");
      equal((await object.call("rows", { limit: 9 })).keys, [], "the rows after both");
    },
  },
  {
    rule: "TURN2",
    title: "a readonly method can't write",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      isProblem(await object.send("writeReadonly"), 500, "INTERNAL", "a write in a readonly method");
      equal(await object.count(), 0, "the count after it");
    },
  },
  {
    rule: "TURN5",
    title: "a deadline is a whole number of milliseconds from 1 up",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      for (const timeout of ["0", "-1", "1.5", "soon"]) {
        const answer = await object.send("get", undefined, { headers: { "edgeverse-timeout": timeout } });
        isProblem(answer, 400, "INVALID_ARGUMENT", `Edgeverse-Timeout: ${timeout}`);
      }
    },
  },
  {
    rule: "TURN6",
    title: "at its deadline a turn is abandoned and a waiting one withdrawn: neither changes anything",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      const headers = { "edgeverse-timeout": "500" };
      const [running, waiting] = await Promise.all([
        object.send("note", { text: "late", ms: 5_000 }, { headers }),
        object.send("note", { text: "later", ms: 5_000 }, { headers }),
      ]);
      isProblem(running, 504, "DEADLINE_EXCEEDED", "the first turn");
      isProblem(waiting, 504, "DEADLINE_EXCEEDED", "the second turn");
      equal((await object.call("get")).notes, [], "the notes after them");
    },
  },
  {
    rule: "TURN7",
    title: "a call that would wait for itself fails at once with DEADLOCK, and names the objects",
    needs: ["probes"],
    async run({ probe }) {
      const [object, other] = [probe(), probe()];
      equal(await object.call("callThrough", { path: [other.id] }), { hops: 1 }, "a call of another object");
      const itself = await object.send("callThrough", { path: [object.id] });
      isProblem(itself, 409, "DEADLOCK", "an object that calls itself");
      const answer = await object.send("callThrough", { path: [other.id, object.id] });
      isProblem(answer, 409, "DEADLOCK", "two objects that call each other");
      const { details } = answer.json as { details?: { chain?: unknown } };
      isTrue(
        JSON.stringify(details?.chain ?? "").includes(object.id),
        `its chain does not name ${object.id}: ${answer.text}`,
      );
    },
  },
  {
    rule: "TURN9",
    title: "a state, a response and a request that are too large are refused, and nothing is written",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      isProblem(await object.send("fill", { bytes: TOO_LARGE }), 413, "STATE_TOO_LARGE", "a state of 1.85 MB");
      isProblem(await object.send("answer", { bytes: TOO_LARGE }), 413, "PAYLOAD_TOO_LARGE", "a response of 1.85 MB");
      const request = { text: "x".repeat(TOO_LARGE), ms: 0 };
      isProblem(await object.send("note", request), 413, "PAYLOAD_TOO_LARGE", "a request of 1.85 MB");
      equal(await object.call("get"), { count: 0, notes: [] }, "the object after them");
    },
  },
  {
    rule: "TURN9",
    title: "a state and a response of 100,000 bytes are taken",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      await object.call("fill", { bytes: 100_000 });
      equal((await object.call("answer", { bytes: 100_000 })).length, 100_000, "the length of the response");
    },
  },
  {
    rule: "TURN11",
    title: "this.now() is the same during the whole turn",
    needs: ["probes"],
    async run({ probe }) {
      const { begin, end } = await probe().call("turnTime", { ms: 50 });
      equal(end, begin, "the time at the end");
    },
  },
];
