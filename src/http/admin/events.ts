import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType } from "../../identity/object-id.ts";
import type { AsideEvent, AsidePlace, EventVerdict } from "../../router/event-views.ts";
import { askOwner } from "../ask-partitions.ts";
import { NOTHING, parseQuery, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, moment, objectParams } from "../schemas.ts";
import { audited } from "./decision-audit.ts";
import { pageAnswer, pageQuery } from "./page.ts";
import { partitionPage } from "./partition-pages.ts";

const querySchema = z.strictObject(pageQuery);
const placeSchema: z.ZodType<AsidePlace> = z.tuple([
  z.number(),
  z.string().max(64),
  z.string().max(512),
  z.string().max(64),
]);
const eventSchema = z
  .object({
    sink: z.string(),
    type: z.string(),
    id: z.string(),
    eventId: z.string(),
    topic: z.string(),
    time: moment,
    bytes: count,
    error: z
      .string()
      .nullable()
      .register(about, { description: "Why its sink did not take it; null where the host has no such sink" }),
  })
  .register(about, { id: "AsideEvent" });

const keyParams = objectParams.extend({ sink: z.string(), eventId: z.string() });

/** `/admin/v1/events`: events that were set aside ([EVT5]). */
export function eventRoutes(parts: HttpParts): Route[] {
  return [
    list(parts),
    decision(parts, "retry", "Send an event that was set aside once more"),
    decision(parts, "drop", "Remove an event that was set aside"),
  ];
}

function list(parts: HttpParts): Route {
  return {
    doc: {
      id: "listEvents",
      tag: "sinks",
      method: "get",
      path: "/admin/v1/events",
      summary: "List events that their sinks did not take",
      query: querySchema,
      answers: {
        200: {
          description: "A page, partition by partition; it may be short",
          schema: z.object({
            events: z.array(eventSchema),
            unreachable: z
              .array(z.string())
              .optional()
              .register(about, { description: "Partitions that could not be asked: their events are missing here" }),
            ...pageAnswer,
          }),
        },
      },
      problems: ["INVALID_ARGUMENT", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const { cursor, limit } = parseQuery(context, querySchema);
      await parts.router.refresh();
      const page = await partitionPage<AsideEvent, AsidePlace>(parts, {
        names: parts.router.map.partitions,
        cursor,
        after: placeSchema,
        limit,
        charactersOf: () => 0,
        ask: async (client, query) => {
          const { events, next } = await client.asideEvents(query);
          return { rows: events, next };
        },
      });
      const { rows, unreachable } = page;
      const body = {
        events: rows.map((event) => ({ ...event, time: new Date(event.time).toISOString() })),
        ...(unreachable.length === 0 ? {} : { unreachable }),
        ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
      };
      return respond(JSON.stringify(body), context.requestId);
    },
  };
}

function decision(parts: HttpParts, verdict: EventVerdict, summary: string): Route {
  return {
    doc: {
      id: `${verdict}Event`,
      tag: "sinks",
      method: "post",
      path: `/admin/v1/events/{sink}/{type}/{id}/{eventId}/${verdict}`,
      summary,
      params: keyParams,
      body: NOTHING,
      answers: { 200: { description: "Done", schema: z.object({ eventId: z.string() }) } },
      problems: ["NOT_FOUND", "CONFLICT", "INVALID_ARGUMENT", "INVALID_ID", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const { requestId } = context;
      const [sink, type, id, eventId] = ["sink", "type", "id", "eventId"].map((name) => context.param(name)) as [
        string,
        string,
        string,
        string,
      ];
      await readChange(context, NOTHING);
      checkType(type);
      const key = { sink, type, id, eventId };
      await audited(parts, { kind: `${verdict}-event`, ...key }, context, async () => {
        const answer = await askOwner(parts, { type, id }, (client) => client.decideEvent(verdict, key));
        if ("refused" in answer) throw new EdgeverseError("CONFLICT", `Nothing was changed: ${answer.refused}`);
        if (!answer.found) throw new EdgeverseError("NOT_FOUND", "The object has no such event for this sink");
      });
      return respond(JSON.stringify({ eventId }), requestId);
    },
  };
}
