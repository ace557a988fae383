import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType } from "../../identity/object-id.ts";
import { checkCallId } from "../../reliable/call-id.ts";
import type { CallKey, CallRecord } from "../../reliable/call-record.ts";
import { charactersOf } from "../../reliable/ports.ts";
import type { CallDecision, PartitionClient } from "../../router/ports.ts";
import { askOwner } from "../ask-partitions.ts";
import { callIdText, callSchema, callView } from "../call-view.ts";
import { NOTHING, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { objectParams } from "../schemas.ts";
import { audited } from "./decision-audit.ts";
import { partitionPage } from "./partition-pages.ts";

/** A place within a partition. */
const afterSchema = z.strictObject({ type: z.string().max(64), id: z.string().max(512), callId: z.string().max(255) });

interface Filter {
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly limit: number;
}

/** Parked calls, partition by partition: their owners know them, with a log or without. */
export async function parkedPage(parts: HttpParts, filter: Filter, cursor: string | undefined) {
  await parts.router.refresh();
  const { router } = parts;
  const { type = "", id } = filter;
  const names = id === undefined || !router.locates(filter.type) ? router.map.partitions : [router.owner({ type, id })];
  const { rows, ...page } = await partitionPage<CallRecord, CallKey>(parts, {
    names,
    cursor,
    after: afterSchema,
    limit: filter.limit,
    charactersOf,
    ask: async (client, query) => {
      const { calls, next } = await client.parkedCalls({ ...filter, ...query });
      return { rows: calls, next };
    },
  });
  return { calls: rows, ...page };
}

const DECISIONS = {
  retry: {
    kind: "retry-call",
    summary: "Put a parked call back in line",
    decide: (client: PartitionClient, type: string, id: string, callId: string) => client.unpark(type, id, callId),
  },
  fail: {
    kind: "fail-call",
    summary: "End a call that is parked, or that does not run now, as failed",
    decide: (client: PartitionClient, type: string, id: string, callId: string) => client.failCall(type, id, callId),
  },
} as const;

/** `POST /admin/v1/calls/{type}/{id}/{callId}/retry` and `…/fail` ([CALL12]). */
export function decisionRoutes(parts: HttpParts): Route[] {
  return [decision(parts, "retry"), decision(parts, "fail")];
}

function decision(parts: HttpParts, name: keyof typeof DECISIONS): Route {
  const { kind, summary, decide } = DECISIONS[name];
  return {
    doc: {
      id: `${name}Call`,
      tag: "call log",
      method: "post",
      path: `/admin/v1/calls/{type}/{id}/{callId}/${name}`,
      summary,
      params: objectParams.extend({ callId: callIdText }),
      body: NOTHING,
      answers: { 200: { description: "The call as it is now", schema: callSchema } },
      problems: ["CALL_NOT_FOUND", "CONFLICT", "INVALID_ARGUMENT", "INVALID_ID", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const { requestId } = context;
      const [type, id, callId] = [context.param("type"), context.param("id"), context.param("callId")];
      await readChange(context, NOTHING);
      checkType(type);
      checkCallId(callId);
      const record = await audited(parts, { kind, type, id, callId }, context, async () =>
        decided(await askOwner(parts, { type, id }, (client) => decide(client, type, id, callId))),
      );
      return respond(callView(record), requestId);
    },
  };
}

/** @throws EdgeverseError `CALL_NOT_FOUND`, `CONFLICT` */
function decided(answer: Exclude<CallDecision, { readonly movedTo: string }>): CallRecord {
  if (answer === null) throw new EdgeverseError("CALL_NOT_FOUND", "The object knows no reliable call with this id");
  if (!("refused" in answer)) return answer;
  throw new EdgeverseError("CONFLICT", `Nothing was changed: ${answer.refused}`);
}
