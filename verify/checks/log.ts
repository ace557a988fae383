import type { Check, CheckContext } from "../check.ts";
import { bodyOf, equal, isProblem, isTrue, shown } from "../expect.ts";
import { NotApplicable } from "../failure.ts";
import type { Probe } from "../probe-object.ts";

interface Row {
  readonly callId: string;
  readonly method: string;
  readonly status: string;
  readonly request: unknown;
}

interface Count {
  readonly type: string;
  readonly status: string;
  readonly count: number;
}

export const logChecks: readonly Check[] = [
  {
    rule: "CALL5",
    title: "each reliable call becomes one row of the log, with its outcome",
    needs: ["probes", "postgres"],
    async run(context) {
      const [object, good, bad] = [context.probe(), context.name(), context.name()];
      for (let time = 0; time < 2; time++) await object.call("add", { by: 1 }, { callId: good });
      await object.send("refuse", { reason: "NO" }, { callId: bad });
      await context.cluster.until("the rows", async () => {
        const rows = await rowsOf(object, context);
        return rows.length === 2 && rows.every(({ status }) => status !== "pending");
      });
      const rows = (await rowsOf(object, context)).map(({ callId, method, status }) => [callId, method, status]);
      equal(
        rows.sort(),
        [
          [good, "add", "success"],
          [bad, "refuse", "failed"],
        ].sort(),
        "the rows",
      );
    },
  },
  {
    rule: "CALL6",
    title: "a write-ahead call is in the log, with its outcome, before its answer",
    needs: ["probes", "postgres"],
    async run(context) {
      const [object, callId] = [context.probe(), context.name()];
      await object.call("add", { by: 4 }, { callId, headers: { "edgeverse-log": "write-ahead" } });
      const rows = await rowsOf(object, context);
      equal(
        rows.map(({ status, request }) => [status, request]),
        [["success", { by: 4 }]],
        "the rows right after it",
      );
    },
  },
  {
    rule: "CALL6",
    title: "with a local log, a write-ahead call is LOG_UNAVAILABLE and did not run",
    needs: ["probes", "admin"],
    async run({ facts, probe, name }) {
      if (facts.log === "postgres") throw new NotApplicable("the cluster has a log in Postgres");
      const object = probe();
      const answer = await object.send("add", {}, { callId: name(), headers: { "edgeverse-log": "write-ahead" } });
      isProblem(answer, 503, "LOG_UNAVAILABLE", "the call");
      equal((answer.json as { retryable?: boolean }).retryable, false, "retryable");
      equal(await object.count(), 0, "the count after it");
    },
  },
  {
    rule: "CALL9",
    title: "a dry run of the cleanup counts and removes nothing",
    needs: ["probes", "postgres"],
    async run(context) {
      const [object, callId] = [context.probe(), context.name()];
      await object.call("add", { by: 1 }, { callId, headers: { "edgeverse-log": "write-ahead" } });
      const answer = await context.admin("POST", "calls/cleanup", { dryRun: true });
      const { dryRun, counts } = bodyOf<{ dryRun: boolean; counts: object }>(answer, "the dry run");
      equal([dryRun, Object.keys(counts).sort()], [true, ["expired", "failed", "success"]], "the answer");
      equal((await rowsOf(object, context)).length, 1, "the rows after it");
      isProblem(
        await context.admin("POST", "calls/cleanup", { dry: true }),
        400,
        "INVALID_ARGUMENT",
        "an unknown member",
      );
    },
  },
  {
    rule: "CALL14",
    title: "with a local log, calls are listed newest first, with request and outcome, as soon as they are answered",
    needs: ["probes", "admin"],
    async run(context) {
      if (context.facts.log === "postgres") throw new NotApplicable("the cluster has a log in Postgres");
      const [object, first, second] = [context.probe(), context.name(), context.name()];
      await object.call("add", { by: 1 }, { callId: first });
      await object.send("refuse", { reason: "NO" }, { callId: second });
      const rows = await rowsOf(object, context);
      equal(
        rows.map(({ callId, status, request }) => [callId, status, request]),
        [
          [second, "failed", { reason: "NO" }],
          [first, "success", { by: 1 }],
        ],
        "the rows",
      );
    },
  },
  {
    rule: "CALL15",
    title: "the statistics count reliable calls by type and status",
    needs: ["probes", "admin"],
    async run(context) {
      const object = context.probe();
      const count = async () => {
        const stats = bodyOf<{ counts: Count[] }>(await context.admin("GET", "calls/stats"), "the statistics");
        return stats.counts.find(({ type, status }) => type === object.type && status === "success")?.count ?? 0;
      };
      const before = await count();
      await object.call("add", { by: 1 }, { callId: context.name() });
      await context.cluster.until("the count", async () => (await count()) > before);
    },
  },
  {
    rule: "CALL11",
    title: "an operator can reconcile the log at once",
    needs: ["admin", "postgres"],
    async run({ admin }) {
      const answer = await admin("POST", "calls/wake");
      const report = bodyOf<Record<string, unknown>>(answer, "the wake");
      const counts = ["seen", "driven", "completed", "pending", "refused", "unreachable"];
      isTrue(
        counts.every((name) => Number.isInteger(report[name])),
        `a count is missing: ${shown(answer)}`,
      );
    },
  },
];

/** What the log has of an object. */
async function rowsOf({ type, id }: Probe, { admin }: CheckContext): Promise<readonly Row[]> {
  const answer = await admin("GET", `calls?${new URLSearchParams({ type, id })}`);
  return bodyOf<{ calls: Row[] }>(answer, "the log").calls;
}
