import type { Check, CheckContext } from "../check.ts";
import { bodyOf, equal, isProblem, isTrue } from "../expect.ts";
import type { Probe } from "../probe-object.ts";

interface CallView {
  readonly status: string;
  readonly response?: unknown;
  readonly error?: { readonly code: string; readonly reason?: string; readonly details?: { readonly reason?: string } };
}

/** A UUIDv7 of the year 2000: older than any retention. */
const OLD = "00dc6acf-ac00-7000-8000-000000000000";

export const reliableCallChecks: readonly Check[] = [
  {
    rule: "CALL1",
    title: "a call id that is repeated runs once, and gets the first outcome",
    needs: ["probes"],
    async run({ probe, name }) {
      const [object, callId] = [probe(), name()];
      const replays: (string | null)[] = [];
      for (let time = 0; time < 3; time++) {
        const answer = await object.send("add", { by: 5 }, { callId });
        equal(bodyOf(answer, "the call"), { response: { count: 5 } }, "the outcome");
        replays.push(answer.headers.get("idempotency-replayed"));
      }
      equal(replays, [null, "true", "true"], "Idempotency-Replayed of three");
      equal(await object.count(), 5, "the count after them");
    },
  },
  {
    rule: "CALL1",
    title: "twenty calls with one id at the same moment run once",
    needs: ["probes"],
    async run({ probe, name }) {
      const [object, callId] = [probe(), name()];
      const calls = Array.from({ length: 20 }, () => object.call("add", { by: 1 }, { callId }));
      for (const { count } of await Promise.all(calls)) equal(count, 1, "the outcome");
      equal(await object.count(), 1, "the count after them");
    },
  },
  {
    rule: "CALL1",
    title: "one id with another method or request is CALL_ID_REUSED; the order of keys does not matter",
    needs: ["probes"],
    async run({ probe, name }) {
      const [object, callId] = [probe(), name()];
      await object.call("note", { text: "a", ms: 1 }, { callId });
      await object.call("note", { ms: 1, text: "a" }, { callId });
      isProblem(await object.send("note", { text: "b", ms: 1 }, { callId }), 422, "CALL_ID_REUSED", "another request");
      isProblem(await object.send("add", { by: 1 }, { callId }), 422, "CALL_ID_REUSED", "another method");
      equal(await object.call("get"), { count: 0, notes: ["a begins", "a ends"] }, "the object after them");
    },
  },
  {
    rule: "CALL1",
    title: "a request that does not fit leaves no mark",
    needs: ["probes"],
    async run({ probe, name }) {
      const [object, callId] = [probe(), name()];
      isProblem(
        await object.send("add", { by: "x" }, { callId }),
        400,
        "INVALID_ARGUMENT",
        "a request that does not fit",
      );
      equal(await object.call("add", { by: 1 }, { callId }), { count: 1 }, "the same id with one that fits");
    },
  },
  {
    rule: "CALL2",
    title: "an outcome is final, a refusal too, and its status shows it",
    needs: ["probes"],
    async run({ probe, name }) {
      const [object, callId] = [probe(), name()];
      for (const replayed of [null, "true"]) {
        const answer = await object.send("refuse", { reason: "NO" }, { callId });
        isProblem(answer, 422, "CALL_FAILED", "the call");
        equal(answer.headers.get("idempotency-replayed"), replayed, "Idempotency-Replayed");
      }
      const { status, error } = bodyOf<CallView>(await object.callStatus(callId), "its status");
      equal([status, error?.code, error?.reason], ["failed", "CALL_FAILED", "NO"], "its status");
      isProblem(await object.callStatus(name()), 404, "CALL_NOT_FOUND", "the status of another call");
    },
  },
  {
    rule: "CALL2",
    title: "a caller whose deadline passes hears that the call is pending, and the call goes on",
    needs: ["probes"],
    async run({ probe, name }) {
      const [object, callId] = [probe(), name()];
      const headers = { "edgeverse-timeout": "300" };
      const late = await object.send("note", { text: "slow", ms: 2_000 }, { callId, headers });
      isProblem(late, 504, "DEADLINE_EXCEEDED", "the first caller");
      equal((late.json as { details?: { status?: string } }).details?.status, "pending", "details.status");
      const { notes } = await object.call("note", { text: "slow", ms: 2_000 }, { callId });
      equal(notes.at(-1), "slow ends", "the outcome for the second caller");
    },
  },
  {
    rule: "CALL4",
    title: "an object runs its reliable calls in the order of acceptance",
    needs: ["probes"],
    async run({ probe, name, sleep }) {
      const object = probe();
      const callIds = Array.from({ length: 8 }, name);
      for (const [at, callId] of callIds.entries()) {
        const answer = await object.send(
          "note",
          { text: `${at}`, ms: 20 },
          { callId, headers: { prefer: "respond-async" } },
        );
        equal(answer.status, 202, "the status of accepting");
      }
      await ended(object, callIds.at(-1) as string, sleep);
      const begun = (await object.call("get")).notes.filter((note) => note.endsWith("begins"));
      equal(
        begun,
        callIds.map((_, at) => `${at} begins`),
        "the order",
      );
    },
  },
  {
    rule: "HTTP8",
    title: "respond-async is answered with 202, and Location leads to the outcome",
    needs: ["probes"],
    async run({ probe, name, sleep, basePath }) {
      const [object, callId] = [probe(), name()];
      const answer = await object.send("add", { by: 2 }, { callId, headers: { prefer: "respond-async" } });
      equal(bodyOf(answer, "the call", 202), { callId, status: "pending" }, "the answer");
      const location = `${basePath}/api/v1/objects/calls/${object.path}/${callId}`;
      equal(answer.headers.get("location"), location, "Location");
      const { status, response } = await ended(object, callId, sleep);
      equal([status, response], ["success", { count: 2 }], "the outcome");
    },
  },
  {
    rule: "CALL7",
    title: "a reliable call that a reliable call makes runs once, however often its caller is repeated",
    needs: ["probes"],
    async run({ probe, name }) {
      const [object, other, callId] = [probe(), probe(), name()];
      for (let time = 0; time < 3; time++) {
        equal(await object.call("addTo", { other: other.id, by: 3 }, { callId }), { count: 3 }, "the outcome");
      }
      equal(await other.count(), 3, "the other's count");
    },
  },
  {
    rule: "CALL7",
    title: "what an object sends arrives once and in order, and its outcomes are told once; clients can't tell them",
    needs: ["probes"],
    async run({ probe, name, sleep }) {
      const [object, other, callId] = [probe(), probe(), name()];
      for (let time = 0; time < 2; time++) await object.call("send", { other: other.id, by: 2, times: 10 }, { callId });
      const outcomes = Array.from({ length: 10 }, (_, index) => `{"count":${2 * (index + 1)}}`);
      const told = async () => (await object.call("get")).notes.sort(byLength);
      for (let notes = await told(); notes.length < 10; notes = await told()) await sleep(100);
      equal(await told(), outcomes, "the outcomes that were told");
      equal(await other.count(), 20, "the other's count");
      isProblem(await object.send("heard", { callId: "c", status: "success" }), 404, "METHOD_NOT_FOUND", "telling one");
    },
  },
  {
    rule: "CALL8",
    title: "a call that is pending for longer than Edgeverse-Expires-In ends as expired, and never runs",
    needs: ["probes"],
    async run({ probe, name, sleep }) {
      const [object, first, second] = [probe(), name(), name()];
      const prefer = { prefer: "respond-async" };
      await object.send("note", { text: "long", ms: 3_000 }, { callId: first, headers: prefer });
      const headers = { ...prefer, "edgeverse-expires-in": "300" };
      await object.send("add", { by: 1 }, { callId: second, headers });
      const { status, error } = await ended(object, second, sleep);
      equal([status, error?.code], ["expired", "DEADLINE_EXCEEDED"], "its outcome");
      await ended(object, first, sleep);
      equal(await object.count(), 0, "the count after it");
    },
  },
  {
    rule: "CALL9",
    title: "a call id that is older than the retention is EXPIRED_CALL_ID",
    needs: ["probes"],
    async run({ probe }) {
      const object = probe();
      isProblem(
        await object.send("add", { by: 1 }, { callId: OLD }),
        410,
        "EXPIRED_CALL_ID",
        "a UUIDv7 of the year 2000",
      );
      equal(await object.count(), 0, "the count after it");
    },
  },
  {
    rule: "CALL12",
    title: "an operator can end a call that waits in line; it never runs. For other calls the answer is no",
    needs: ["probes", "admin"],
    async run({ admin, probe, name, sleep }) {
      const [object, running, waiting] = [probe(), name(), name()];
      const headers = { prefer: "respond-async" };
      await object.send("note", { text: "long", ms: 3_000 }, { callId: running, headers });
      await object.send("add", { by: 1 }, { callId: waiting, headers });
      const order = (callId: string, what: string) => admin("POST", `calls/${object.path}/${callId}/${what}`);
      equal(bodyOf<CallView>(await order(waiting, "fail"), "ending it").status, "failed", "its status");
      isProblem(await order(running, "fail"), 409, "CONFLICT", "ending a call that runs");
      isProblem(await order(waiting, "retry"), 409, "CONFLICT", "retrying a call that is not parked");
      isProblem(await order(name(), "fail"), 404, "CALL_NOT_FOUND", "ending a call that there is not");
      equal((await ended(object, running, sleep)).status, "success", "the status of the call before it");
      equal(await object.count(), 0, "the count after both");
    },
  },
  {
    rule: "CALL12",
    title: "the list of parked calls can be had, wherever the log is",
    needs: ["admin"],
    async run({ cluster }) {
      const { calls } = await cluster.get<{ calls: CallView[] }>("calls?status=parked&limit=10");
      isTrue(
        calls.every(({ status }) => status === "parked"),
        "it has calls that are not parked",
      );
    },
  },
];

const byLength = (left: string, right: string) => left.length - right.length || (left < right ? -1 : 1);

/** The end of a reliable call. */
async function ended(object: Probe, callId: string, sleep: CheckContext["sleep"]): Promise<CallView> {
  for (;;) {
    const view = bodyOf<CallView>(await object.callStatus(callId), "the status of a call");
    if (view.status !== "pending") return view;
    isTrue(view.response === undefined, "a pending call has a response");
    await sleep(100);
  }
}
