import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { within } from "../../platform/within.ts";
import { askPartitions } from "../ask-partitions.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about } from "../schemas.ts";

/** Whether the worker runs, and whether what it needs can be reached. */
export function healthRoutes(parts: HttpParts): Route[] {
  return [healthRoute(), readyRoute(parts)];
}

/** `GET /healthz`: this worker runs. It asks nobody. */
function healthRoute(): Route {
  return {
    doc: {
      id: "health",
      tag: "host",
      method: "get",
      path: "/healthz",
      summary: "Whether the worker runs",
      answers: { 200: { description: "It runs", schema: z.object({ status: z.literal("ok") }) } },
    },
    handle: (context) => respond('{"status":"ok"}', context.requestId),
  };
}

const LIMIT = 3_000;
/** How long one answer serves: probes of many watchers must not become as many questions to every partition. */
const FRESH = 1_000;

const reach = z.enum(["ok", "unreachable"]);
const readySchema = z
  .object({
    status: z.enum(["ready", "degraded"]),
    bootstrapped: z.boolean().nullable().register(about, {
      description: "Whether a first call has bootstrapped the cluster; null when the coordinator can't be asked",
    }),
    failing: z.array(z.string()).register(about, { examples: [["partition p1", "log"]] }),
    shards: z.object({ total: z.number().int(), partitions: z.number().int(), unreachable: z.array(z.string()) }),
    coordinator: z.object({ status: reach }),
    log: z.object({ status: z.enum(["ok", "unreachable", "local"]) }),
  })
  .register(about, { id: "Readiness" });

/** `GET /ready`: whether coordinator, partitions and log can be reached; 503 and which can't otherwise. It changes nothing. */
function readyRoute(parts: HttpParts): Route {
  let last: { readonly at: number; readonly status: number; readonly text: string } | undefined;
  return {
    doc: {
      id: "ready",
      tag: "host",
      method: "get",
      path: "/ready",
      summary: "Whether everything that calls need can be reached",
      answers: {
        200: { description: "Everything can be reached", schema: readySchema },
        503: { description: "Something can't be reached: `failing` names it", schema: readySchema },
      },
    },
    handle: async (context) => {
      const now = parts.clock.now();
      if (last === undefined || now - last.at >= FRESH || now < last.at) {
        const readiness = await look(parts);
        const status = readiness.status === "ready" ? 200 : 503;
        last = { at: parts.clock.now(), status, text: JSON.stringify(readiness) };
      }
      return respond(last.text, context.requestId, last.status);
    },
  };
}

async function look(parts: HttpParts): Promise<z.input<typeof readySchema>> {
  const callLog = parts.log;
  await reached(parts, () => parts.router.refresh());
  let bootstrapped: boolean | null = null;
  const [coordinator, log, partitions] = await Promise.all([
    reached(parts, async () => {
      ({ bootstrapped } = await parts.coordinator.status());
    }),
    callLog === undefined ? ("local" as const) : reached(parts, () => callLog.ping()),
    askPartitions(parts, LIMIT, (client) => client.status()),
  ]);
  const unreachable = partitions.filter((answer) => !answer.ok).map((answer) => answer.partition);
  const failing = unreachable.map((name) => `partition ${name}`);
  if (coordinator === "unreachable") failing.push("coordinator");
  if (log === "unreachable") failing.push("log");
  return {
    status: failing.length === 0 ? "ready" : "degraded",
    bootstrapped,
    failing,
    shards: { total: parts.router.map.shards, partitions: partitions.length, unreachable },
    coordinator: { status: coordinator },
    log: { status: log },
  };
}

async function reached(
  { clock }: Pick<HttpParts, "clock">,
  question: () => Promise<unknown>,
): Promise<"ok" | "unreachable"> {
  try {
    await within(clock, LIMIT, question(), () => new EdgeverseError("UNAVAILABLE", "no answer"));
    return "ok";
  } catch {
    return "unreachable";
  }
}
