import * as z from "zod";
import type { GateCommand } from "../../coordinator/commands.ts";
import type { SettingsResult } from "../../coordinator/settings-views.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { publicError } from "../../errors/public-error.ts";
import { within } from "../../platform/within.ts";
import type { GateStatus } from "../../push/gate-status.ts";
import { ADMIN_LIMIT } from "../ask-partitions.ts";
import { NOTHING, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, errorSchema } from "../schemas.ts";
import { askCoordinator, command, ORDERED } from "./coordinator.ts";

const states = z.enum(["active", "cordoned", "draining"]);
const told = (description: string) => count.clone().register(about, { description });

const statusSchema = z
  .object({
    goesBy: states.clone().register(about, { description: "What it goes by: it hears of a change within 5 s" }),
    drained: z.boolean().register(about, { description: "It is draining, and has no session left" }),
    clients: told("That are connected"),
    sessions: told("Of clients that are connected or away"),
    subscriptions: told("Topics and patterns that connected clients listen to"),
    watched: told("Objects that clients watch"),
    log: z.object({ messages: count, bytes: count }),
    openCalls: count,
    openCallBytes: told("Of open calls, and of results that clients have yet to read"),
    farewells: told("Sessions that have ended and of which onDisconnect has yet to hear"),
    counts: z
      .object({
        connections: told("That clients have opened"),
        resumed: told("Of these, how many went on with a session"),
        refused: told("For want of room, or since the gate takes no new clients"),
        messages: told("That came here"),
        unheard: told("Of these, how many no connected client was to get"),
        deliveries: told("Messages to clients, each as often as it was sent"),
        gaps: told("How often a client was told of a gap"),
        calls: told("That clients have made over connections"),
        silent: told("Connections that were closed since their clients were silent or took nothing"),
        sentAway: told("Clients that were asked to go to another gate"),
      })
      .register(about, { description: "Since its process began: it ends when nothing happens for a while" }),
  })
  .partial();
const gateSchema = z
  .object({ name: z.string(), state: states, reachable: z.boolean(), error: errorSchema.optional() })
  .extend(statusSchema.shape)
  .register(about, { id: "Gate" });
const params = z.object({ gate: z.string().register(about, { description: "Its name", examples: ["g0"] }) });

/** `/admin/v1/gates`: where clients are connected. */
export function gateRoutes(parts: HttpParts): Route[] {
  return [list(parts), read(parts), setState(parts, "drain"), setState(parts, "cordon"), setState(parts, "uncordon")];
}

/** `GET /admin/v1/gates`: what each says of itself, or why it says nothing. One that sleeps is woken by it. */
function list(parts: HttpParts): Route {
  return {
    doc: {
      id: "listGates",
      tag: "gates",
      method: "get",
      path: "/admin/v1/gates",
      summary: "List the gates, each with its clients",
      answers: {
        200: {
          description: "The gates, those that can't be reached among them",
          schema: z.object({ gates: z.array(gateSchema) }),
        },
      },
    },
    handle: async (context) => {
      await refresh(parts);
      const gates = await Promise.all((parts.gates?.names ?? []).map((name) => viewOf(parts, name)));
      return respond(JSON.stringify({ gates }), context.requestId);
    },
  };
}

/** `GET /admin/v1/gates/{gate}`. */
function read(parts: HttpParts): Route {
  return {
    doc: {
      id: "getGate",
      tag: "gates",
      method: "get",
      path: "/admin/v1/gates/{gate}",
      summary: "See one gate, with its clients and the progress of its drain",
      params,
      answers: { 200: { description: "The gate", schema: gateSchema } },
    },
    handle: async (context) => {
      const name = context.param("gate");
      if (parts.gates?.names.includes(name) !== true)
        throw new EdgeverseError("NOT_FOUND", `There is no gate "${name.slice(0, 80)}"`);
      await refresh(parts);
      return respond(JSON.stringify(await viewOf(parts, name)), context.requestId);
    },
  };
}

const SUMMARIES = {
  drain: "Ask all clients of a gate to go to another one",
  cordon: "Give a gate no new clients",
  uncordon: "Take a gate back into use",
};

/** `POST /admin/v1/gates/{gate}/drain`, `…/cordon` and `…/uncordon` ([PUSH14]). */
function setState(parts: HttpParts, kind: keyof typeof SUMMARIES): Route {
  return {
    doc: {
      id: `${kind}Gate`,
      tag: "gates",
      method: "post",
      path: `/admin/v1/gates/{gate}/${kind}`,
      summary: SUMMARIES[kind],
      params,
      body: NOTHING,
      answers: {
        200: {
          description: "The gate's state, and the version of the settings that has it",
          schema: z.object({ name: z.string(), state: states, version: count }),
        },
      },
      problems: ORDERED,
    },
    handle: async (context) => {
      await readChange(context, NOTHING);
      const name = context.param("gate");
      const order: GateCommand = { kind: `${kind}-gate`, name };
      const { version, document } = await command<SettingsResult>(parts, order, context);
      const { live } = parts.settings;
      live.apply({ version, document });
      return respond(JSON.stringify({ name, state: live.gateState(name), version }), context.requestId);
    },
  };
}

/** The newest settings, if the coordinator can be asked. */
async function refresh(parts: HttpParts): Promise<void> {
  const { live } = parts.settings;
  const newer = await askCoordinator(parts, (coordinator) => coordinator.newerSettings(live.seen)).catch(() => null);
  if (newer !== null) live.apply(newer);
}

async function viewOf(parts: HttpParts, name: string): Promise<z.input<typeof gateSchema>> {
  const gates = parts.gates as NonNullable<HttpParts["gates"]>;
  const state = parts.settings.live.gateState(name);
  const late = () => new EdgeverseError("UNAVAILABLE", `Gate ${name} did not answer within ${ADMIN_LIMIT} ms`);
  try {
    const status = await within(parts.clock, ADMIN_LIMIT, gates.status(name), late);
    return { name, state, reachable: true, ...bodyOf(status) };
  } catch (cause) {
    const error =
      cause instanceof EdgeverseError ? cause : new EdgeverseError("UNAVAILABLE", `Gate ${name} can't be reached`);
    return { name, state, reachable: false, error: publicError(error.toWire()) };
  }
}

function bodyOf({ state: goesBy, connected, log, calls, ...rest }: GateStatus): z.input<typeof statusSchema> {
  return {
    goesBy,
    drained: goesBy === "draining" && rest.sessions === 0,
    clients: connected,
    log: { messages: log.rows, bytes: log.bytes },
    openCalls: calls.open,
    openCallBytes: calls.bytes,
    ...rest,
  };
}
