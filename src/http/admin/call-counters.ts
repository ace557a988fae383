import * as z from "zod";
import { sumOfCalls } from "../../observe/call-counters.ts";
import type { OwnerCounters } from "../../router/owner-counters.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, moment } from "../schemas.ts";

const histogram = z
  .object({
    bounds: z.array(z.number()).register(about, { description: "The largest value of each count but the last" }),
    counts: z.array(count),
    sum: z.number(),
  })
  .register(about, { id: "Histogram" });
const ofTimes = (description: string) => histogram.clone().register(about, { description });
const oldest = moment.nullable();

const since = z
  .object({
    success: count,
    failed: count,
    expired: count,
    parked: count,
    retried: count.register(about, { description: "Turns that were started once more" }),
    replayed: count.register(about, { description: "Calls that were answered from a stored outcome" }),
    latency: ofTimes("Milliseconds from the acceptance of a call to its outcome"),
    batch: ofTimes("Records that the log took in one go"),
    lag: ofTimes("Milliseconds from an outcome to the log, of the oldest in each batch"),
    reconciler: z
      .object({
        runs: count,
        seen: count,
        driven: count,
        completed: count,
        pending: count,
        refused: count,
        unreachable: count,
        left: count,
      })
      .register(about, { description: "What the runs of the reconciler found that partitions began [CALL10]" }),
  })
  .register(about, { id: "CallCounts" });
const waiting = z.object({
  pending: count,
  parked: count,
  oldest: oldest.register(about, { description: "When the oldest pending call was accepted" }),
  complete: z.boolean().register(about, { description: "False where there are too many calls to look at them all" }),
});
const backlog = z
  .object({
    records: count,
    bytes: count,
    oldest: oldest.register(about, { description: "When the oldest outcome was reached" }),
    failures: count.register(about, { description: "Statements in a row that failed" }),
  })
  .register(about, { description: "Outcomes that the log in Postgres has not seen" });
const countersSchema = z
  .object({
    total: z.object({ ...waiting.shape, backlog, since }),
    partitions: z.array(
      z.object({
        partition: z.string(),
        ...waiting.shape,
        shards: z
          .array(z.object({ shard: count, pending: count, oldest: moment }))
          .register(about, { description: "The shards with the most pending calls, 100 at most; -1: fixed by the id" }),
        backlog,
        since,
      }),
    ),
    unreachable: z.array(z.string()).register(about, { description: "Partitions that did not answer" }),
  })
  .register(about, { id: "CallCounters" });

/** `GET /admin/v1/calls/counters` ([CALL17]): what waits, and what became of calls since the partitions' processes began. */
export function countersRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "callCounters",
      tag: "call log",
      method: "get",
      path: "/admin/v1/calls/counters",
      summary: "Count what became of reliable calls, and what waits",
      answers: { 200: { description: "Of all partitions, and of each", schema: countersSchema } },
    },
    handle: async (context) => {
      await parts.router.refresh();
      const answers = await askPartitions(parts, ADMIN_LIMIT, (client) => client.callCounters());
      const reached = answers.filter((answer) => answer.ok);
      const view = {
        total: totalOf(reached.map(({ value }) => value)),
        partitions: reached.map(({ partition, value }) => ({ partition, ...viewOf(value) })),
        unreachable: answers.filter(({ ok }) => !ok).map(({ partition }) => partition),
      };
      return respond(JSON.stringify(view), context.requestId);
    },
  };
}

function viewOf({ pending: { shards, ...pending }, backlog, since }: OwnerCounters) {
  return {
    ...pending,
    oldest: time(pending.oldest),
    shards: shards.map((shard) => ({ ...shard, oldest: new Date(shard.oldest).toISOString() })),
    backlog: { ...backlog, oldest: time(backlog.oldest) },
    since,
  };
}

function totalOf(all: readonly OwnerCounters[]) {
  const sum = (countOf: (counters: OwnerCounters) => number) => all.reduce((total, one) => total + countOf(one), 0);
  const first = (timeOf: (counters: OwnerCounters) => number | null) => {
    const times = all.flatMap((one) => timeOf(one) ?? []);
    return time(times.length === 0 ? null : Math.min(...times));
  };
  return {
    pending: sum(({ pending }) => pending.pending),
    parked: sum(({ pending }) => pending.parked),
    oldest: first(({ pending }) => pending.oldest),
    complete: all.every(({ pending }) => pending.complete),
    backlog: {
      records: sum(({ backlog }) => backlog.records),
      bytes: sum(({ backlog }) => backlog.bytes),
      oldest: first(({ backlog }) => backlog.oldest),
      failures: sum(({ backlog }) => backlog.failures),
    },
    since: sumOfCalls(all.map(({ since }) => since)),
  };
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
