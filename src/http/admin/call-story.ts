import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { publicError } from "../../errors/public-error.ts";
import { checkType } from "../../identity/object-id.ts";
import { NOTE_KINDS } from "../../reliable/call-history.ts";
import { checkCallId } from "../../reliable/call-id.ts";
import { CallStories, type CallStory, type StoryCall } from "../../reliable/call-story.ts";
import { timelineOf } from "../../reliable/call-timeline.ts";
import type { CausedCall } from "../../reliable/caused-calls.ts";
import { callIdText, callStatus } from "../call-view.ts";
import { parseQuery } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, errorSchema, jsonValue, moment, objectParams, wholeNumber } from "../schemas.ts";
import { loggedCallSchema, loggedView } from "./logged-call.ts";

const querySchema = z.strictObject({
  depth: wholeNumber(1, 20)
    .default(5)
    .register(about, { description: "Steps from the call, back to its causes and on to what it caused" }),
  limit: wholeNumber(1, 1_000).default(100).register(about, { description: "Calls of `causes`, at most" }),
});

const keySchema = z.object({ type: z.string(), id: z.string(), callId: z.string() });
const relatedSchema = keySchema.extend({
  attempts: count,
  acceptedAt: moment.optional().register(about, { description: "Left out while it is not accepted" }),
  finishedAt: moment.optional(),
  error: errorSchema.optional(),
});
const statusWith = <More extends string>(more: readonly More[]) => z.enum([...callStatus.options, ...more]);
const storySchema = z
  .object({
    call: loggedCallSchema.extend({
      caller: jsonValue.register(about, { description: "Who made the call; null where that is not known (any more)" }),
    }),
    timeline: z.array(
      z.object({
        at: moment.nullable().register(about, { description: "Null where it was not noted" }),
        what: z.enum(["accepted", ...NOTE_KINDS, "omitted", "success", "failed", "expired", "logged"]),
        attempt: count.optional(),
        by: z.string().optional().register(about, { description: "The partition that had the call" }),
        count: count.optional().register(about, { description: "Moments that are left out here, of `omitted`" }),
        error: errorSchema.optional(),
      }),
    ),
    causedBy: z
      .array(
        relatedSchema.extend({
          method: z.string().nullable(),
          status: statusWith(["unknown"]).register(about, { description: "`unknown`: no trace of it is left" }),
        }),
      )
      .register(about, { description: "The call that made this one, then the call that made that one, and so on" }),
    causes: z
      .array(
        relatedSchema.extend({
          cause: keySchema.register(about, { description: "The call that made it" }),
          method: z.string(),
          status: statusWith(["sending", "refused"]).register(about, {
            description:
              "`sending`: in the outbox of the object that sent it; `refused`: there for good, as its receiver does not take it",
          }),
        }),
      )
      .register(about, { description: "The calls that it made, then those that these made, and so on" }),
    complete: z.boolean().register(about, {
      description: "False when more may have led to it, or followed: ask for the story of the first or the last calls",
    }),
    unreachable: z
      .array(z.string())
      .register(about, { description: "Partitions that could not be asked, and `log` for the log in Postgres" }),
  })
  .register(about, { id: "CallStory" });

/** `GET /admin/v1/calls/{type}/{id}/{callId}` ([CALL16]): what became of a call, what led to it, and what it led to. */
export function storyRoute(parts: HttpParts): Route {
  const stories = new CallStories(parts);
  return {
    doc: {
      id: "callStory",
      tag: "call log",
      method: "get",
      path: "/admin/v1/calls/{type}/{id}/{callId}",
      summary: "See what became of a call, what led to it, and what it led to",
      params: objectParams.extend({ callId: callIdText }),
      query: querySchema,
      answers: { 200: { description: "The story", schema: storySchema } },
      problems: ["CALL_NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ID", "LOG_UNAVAILABLE", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const [type, id, callId] = [context.param("type"), context.param("id"), context.param("callId")];
      const most = parseQuery(context, querySchema);
      checkType(type);
      checkCallId(callId);
      const story = await stories.tell({ type, id, callId }, most);
      if (story === null) throw new EdgeverseError("CALL_NOT_FOUND", "The object knows no reliable call with this id");
      return respond(view(story), context.requestId);
    },
  };
}

function view({ call, loggedAt, causedBy, causes, complete, unreachable }: CallStory): string {
  const rest = {
    timeline: timelineOf(call, loggedAt).map(({ at, error, ...what }) => ({ at: time(at), ...what, ...told(error) })),
    causedBy: causedBy.map(related),
    causes: causes.map(related),
    complete,
    unreachable,
  };
  return `{"call":${loggedView(call).slice(0, -1)},"caller":${call.caller ?? "null"}},${JSON.stringify(rest).slice(1)}`;
}

function related<Call extends StoryCall | CausedCall>({ acceptedAt, finishedAt, error, ...call }: Call) {
  return {
    ...call,
    ...(acceptedAt === null ? {} : { acceptedAt: time(acceptedAt) }),
    ...(finishedAt === null ? {} : { finishedAt: time(finishedAt) }),
    ...told(error),
  };
}

function told(error: CausedCall["error"] | undefined) {
  return error === null || error === undefined ? {} : { error: publicError(error) };
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
