import * as z from "zod";
import type { CallCommand } from "../../coordinator/commands.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType } from "../../identity/object-id.ts";
import { checkCallId } from "../../reliable/call-id.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import { charactersOf, PAGE_CHARACTERS } from "../../reliable/ports.ts";
import type { CallDecision, PartitionClient } from "../../router/ports.ts";
import { ADMIN_LIMIT, askOwner, askPartition } from "../ask-partitions.ts";
import { callIdText, callSchema, callView } from "../call-view.ts";
import { NOTHING, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { objectParams } from "../schemas.ts";
import { askCoordinator } from "./coordinator.ts";
import { readCursor, writeCursor } from "./page.ts";

/** Questions to partitions one page may cost; it then is short and has a cursor. */
const QUESTIONS = 32;

/** Where the walk over all partitions goes on: in `partition`, behind `after` or at its start. */
const placeSchema = z.strictObject({
  partition: z.string(),
  after: z.strictObject({ type: z.string().max(64), id: z.string().max(512), callId: z.string().max(255) }).optional(),
});
type Place = z.output<typeof placeSchema>;

interface Filter {
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly limit: number;
}

/** Parked calls, partition by partition: their owners know them, with a log or without. One that is silent is named. */
export async function parkedPage(parts: HttpParts, filter: Filter, cursor: string | undefined) {
  await parts.router.refresh();
  const { router } = parts;
  const { type = "", id } = filter;
  const names = id === undefined || !router.locates(filter.type) ? router.map.partitions : [router.owner({ type, id })];
  const calls: CallRecord[] = [];
  const unreachable: string[] = [];
  const until = parts.clock.now() + ADMIN_LIMIT;
  let characters = 0;
  let next = first(names, cursor);
  for (let asked = 0; next !== undefined && asked < QUESTIONS && parts.clock.now() < until; asked++) {
    const { partition, after }: Place = next;
    const query = { ...filter, after, limit: filter.limit - calls.length };
    next = following(names, partition);
    try {
      const page = await askPartition(parts, partition, ADMIN_LIMIT, (client) => client.parkedCalls(query));
      calls.push(...page.calls);
      for (const call of page.calls) characters += charactersOf(call);
      if (page.next !== null) next = { partition, after: page.next };
    } catch {
      unreachable.push(partition);
    }
    if (calls.length >= filter.limit || characters >= PAGE_CHARACTERS) break;
  }
  return { calls, unreachable, cursor: next === undefined ? undefined : writeCursor(next) };
}

function first(names: readonly string[], text: string | undefined): Place | undefined {
  const place = readCursor(text, placeSchema);
  if (place === undefined) return following(names, undefined);
  if (names.includes(place.partition)) return place;
  throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the cursor: it belongs to another listing");
}

function following(names: readonly string[], partition: string | undefined): Place | undefined {
  const name = names[partition === undefined ? 0 : names.indexOf(partition) + 1];
  return name === undefined ? undefined : { partition: name };
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
      const command: CallCommand = { kind, type, id, callId };
      try {
        const record = decided(await askOwner(parts, { type, id }, (client) => decide(client, type, id, callId)));
        await audit(parts, command, requestId, "done");
        return respond(callView(record), requestId);
      } catch (error) {
        await audit(parts, command, requestId, EdgeverseError.from(error).code);
        throw error;
      }
    },
  };
}

/** @throws EdgeverseError `CALL_NOT_FOUND`, `CONFLICT` */
function decided(answer: Exclude<CallDecision, { readonly movedTo: string }>): CallRecord {
  if (answer === null) throw new EdgeverseError("CALL_NOT_FOUND", "The object knows no reliable call with this id");
  if (!("refused" in answer)) return answer;
  throw new EdgeverseError("CONFLICT", `Nothing was changed: ${answer.refused}`);
}

/** What was done stands, whether it can be noted or not. */
async function audit(parts: HttpParts, command: CallCommand, requestId: string, outcome: string): Promise<void> {
  const operator = { requestId, actor: "admin token" };
  try {
    await askCoordinator(parts, (coordinator) => coordinator.auditCall(command, operator, outcome));
  } catch (error) {
    parts.onError(error, { requestId });
  }
}
