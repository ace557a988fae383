import * as z from "zod";
import type { Identity } from "../../access/identity.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { CLOSE } from "../../push/close-codes.ts";
import { LAST_ID, parseEventId } from "../../push/event-ids.ts";
import { CLIENT, endFrame } from "../../push/frames.ts";
import { LIVE_BOUNDS } from "../../push/live-bounds.ts";
import { checkMayWatch } from "../../push/may-watch.ts";
import type { StreamRequest } from "../../push/open-stream.ts";
import { checkPattern } from "../../push/topic.ts";
import { openAtGate } from "../open-at-gate.ts";
import type { HttpParts } from "../ports.ts";
import type { Route } from "../route.ts";
import { about } from "../schemas.ts";
import { admit, doorOf, originOf } from "./events.ts";

/** Seconds. */
const RETRY_AFTER = 3;

type Wanted = Pick<StreamRequest, "topics" | "watch">;

const querySchema = z.object({
  topics: z
    .array(z.string())
    .max(CLIENT.topics)
    .optional()
    .register(about, {
      description: "Topics to listen to, or patterns: each once more as `topics=`",
      examples: [["room/42"]],
    }),
  watch: z
    .array(z.string())
    .max(LIVE_BOUNDS.client)
    .optional()
    .register(about, {
      description: "Objects to watch, each as type, slash and id",
      examples: [["Board/main"]],
    }),
});

const headerSchema = z.object({
  "Last-Event-ID": z
    .string()
    .optional()
    .register(about, { description: "The id of the last event, to go on after it" }),
});

/** `GET /api/v1/events/stream`: what a gate has for a client, as server-sent events ([PUSH12]). */
export function eventStreamRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "eventStream",
      tag: "events",
      method: "get",
      path: "/api/v1/events/stream",
      summary: "Listen by server-sent events",
      description:
        'The guide\'s page "Talking to clients" has the events. A WebSocket costs the host less, and can call.',
      query: querySchema,
      headers: headerSchema,
      answers: {
        200: { description: "Events, until either side ends them", schema: z.string(), type: "text/event-stream" },
        204: { description: "The session has another connection: don't come back" },
      },
      problems: [
        "ACCESS_DENIED",
        "INVALID_ID",
        "NOT_FOUND",
        "OVERLOADED",
        "PAYLOAD_TOO_LARGE",
        "RATE_LIMITED",
        "TYPE_NOT_FOUND",
        "UNAUTHENTICATED",
        "UNAVAILABLE",
      ],
    },
    async handle(context) {
      const { request, requestId } = context;
      const door = doorOf(parts);
      const wanted = wantedBy(new URL(request.url).searchParams);
      checkPlace(request.headers);
      const lastId = request.headers.get("last-event-id") ?? "";
      const headers = headersOf(requestId);
      if (lastId === LAST_ID) return new Response(null, { status: 204, headers });
      headers["content-type"] = "text/event-stream";
      const { client = "", ...back } = parseEventId(lastId) ?? {};
      try {
        const identity = await admit(parts, context);
        checkWanted(parts, wanted, identity);
        if (request.method === "HEAD") return new Response(null, { headers });
        const open = (gate: string) =>
          door.stream(gate, identity, { ...back, ...wanted, origin: originOf(parts, context.request, identity) });
        const { body } = await openAtGate(parts, client, open);
        return new Response(body, { headers });
      } catch (error) {
        const later = client === "" ? undefined : laterText(error);
        if (later === undefined) throw error;
        return new Response(later, { headers });
      }
    },
  };
}

/**
 * After any status but 200 an EventSource gives up for good, and its session with it. One that comes back and can't be served
 * now is told to come later; undefined where that is in vain.
 */
function laterText(error: unknown): string | undefined {
  const { code, message, retryable, retryAfter = RETRY_AFTER } = EdgeverseError.from(error).toWire();
  if (!retryable || code === "INTERNAL") return undefined;
  return `retry: ${Math.ceil(retryAfter * 1_000)}\ndata: ${endFrame(CLOSE.busy, message)}\n\n`;
}

function headersOf(requestId: string): Record<string, string> {
  return {
    // Proxies are to pass events on as they come.
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
  };
}

/** @throws EdgeverseError `INVALID_ARGUMENT`, `PAYLOAD_TOO_LARGE` */
function wantedBy(query: URLSearchParams): Wanted {
  const other = [...query.keys()].find((name) => name !== "topics" && name !== "watch");
  if (other !== undefined)
    throw new EdgeverseError("INVALID_ARGUMENT", "Cannot read the query: it may have topics and watch");
  const topics = [...new Set(query.getAll("topics"))];
  const watch = [...new Set(query.getAll("watch"))].map(objectOf);
  if (topics.length > CLIENT.topics)
    throw new EdgeverseError("PAYLOAD_TOO_LARGE", `A client may listen to ${CLIENT.topics} topics`);
  if (watch.length > LIVE_BOUNDS.client)
    throw new EdgeverseError("PAYLOAD_TOO_LARGE", `A client may watch ${LIVE_BOUNDS.client} objects`);
  return { topics, watch };
}

function objectOf(text: string) {
  const slash = text.indexOf("/");
  if (slash > 0) return { type: text.slice(0, slash), object: text.slice(slash + 1) };
  throw new EdgeverseError("INVALID_ARGUMENT", "Cannot read watch: it must be a type, a slash and an id");
}

/**
 * A link, image or frame of another site says no origin, and has the visitor's cookies all the same.
 * @throws EdgeverseError `ACCESS_DENIED`
 */
function checkPlace(headers: Headers): void {
  const site = headers.get("sec-fetch-site");
  if (headers.has("origin") || site === null || site === "same-origin" || site === "none") return;
  throw new EdgeverseError("ACCESS_DENIED", "A page of another site may only listen by a script that says its origin");
}

/** Its gate looks again. Here a client is told by the status: later it could not be. @throws EdgeverseError */
function checkWanted({ gates, registry }: HttpParts, { topics, watch }: Wanted, identity: Identity | null): void {
  for (const topic of topics) gates?.rules.checkListen(identity, checkPattern(topic));
  for (const { type, object } of watch) checkMayWatch(registry, identity, type, object);
}
