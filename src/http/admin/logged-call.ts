import * as z from "zod";
import type { CallRecord } from "../../reliable/call-record.ts";
import { callSchema, callView } from "../call-view.ts";
import { about, count, jsonValue } from "../schemas.ts";

/** A reliable call as an operator sees it. */
export const loggedCallSchema = callSchema
  .extend({
    seq: count.optional().register(about, {
      description: "Its place in the log: later calls have larger ones. Not in the list of parked calls",
    }),
    type: z.string(),
    id: z.string(),
    shard: count,
    method: z.string(),
    epoch: count,
    traceId: z.string().nullable(),
    request: jsonValue,
  })
  .register(about, { id: "LoggedCall" });

/** A call as an operator sees it: JSON text, with `more` members in front. */
export function loggedView(call: CallRecord, more: { readonly seq?: number } = {}): string {
  const { type, id, shard, method, epoch, traceId } = call;
  const text = callView(call, { ...more, type, id, shard, method, epoch, traceId });
  return `${text.slice(0, -1)},"request":${call.request ?? "null"}}`;
}
