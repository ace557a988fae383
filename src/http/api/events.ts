import * as z from "zod";
import type { Identity } from "../../access/identity.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { clientName } from "../../limits/client-name.ts";
import { PROTOCOL } from "../../push/frames.ts";
import { addressOf } from "../client-address.ts";
import { openAtGate } from "../open-at-gate.ts";
import type { HttpParts } from "../ports.ts";
import { chargedCaller } from "../rate-limits.ts";
import type { HttpContext, Route } from "../route.ts";
import { about } from "../schemas.ts";

/** A page can't set headers of a WebSocket: its token comes among the protocols. */
const BEARER = "bearer.";

/** `GET /api/v1/events/socket`: a connection to a gate. */
export function socketRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "socket",
      tag: "events",
      method: "get",
      path: "/api/v1/events/socket",
      summary: "Connect by WebSocket",
      description:
        `Ask for the protocol \`${PROTOCOL}\`, and if a token is needed for \`${BEARER}<token>\` beside it. ` +
        'The guide\'s page "Talking to clients" has the frames.',
      query: z.object({
        client: z
          .string()
          .optional()
          .register(about, { description: "The client id of the session to go on with: it leads to its gate" }),
      }),
      answers: { 101: { description: "The connection is open" } },
      problems: [
        "ACCESS_DENIED",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "OVERLOADED",
        "RATE_LIMITED",
        "UNAUTHENTICATED",
        "UNAVAILABLE",
      ],
    },
    async handle(context) {
      const door = doorOf(parts);
      const { request } = context;
      const { headers } = request;
      if (headers.get("upgrade")?.toLowerCase() !== "websocket")
        throw new EdgeverseError("INVALID_ARGUMENT", "Ask for an upgrade to a WebSocket here");
      const protocols = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
      if (!protocols.includes(PROTOCOL))
        throw new EdgeverseError("INVALID_ARGUMENT", `Ask for the protocol ${PROTOCOL}: this host speaks no other`);
      const identity = await admit(parts, context, protocols);
      const client = new URL(request.url).searchParams.get("client") ?? "";
      const origin = originOf(parts, request, identity);
      return openAtGate(parts, client, (gate) => door.open(gate, identity, { client, origin }));
    },
  };
}

export function doorOf({ gates }: HttpParts): NonNullable<HttpParts["gates"]> {
  if (gates !== undefined) return gates;
  throw new EdgeverseError(
    "NOT_FOUND",
    "This host lets no clients connect: it needs the binding GATE, and the option push of defineHost",
  );
}

/** Whoever may connect. The one place that decides it. @throws EdgeverseError */
export async function admit(
  parts: HttpParts,
  context: HttpContext,
  protocols: readonly string[] = [],
): Promise<Identity | null> {
  const { request } = context;
  const { rules } = doorOf(parts);
  rules.checkOrigin(request.headers.get("origin"), new URL(request.url).host);
  const token = protocols.find((name) => name.startsWith(BEARER))?.slice(BEARER.length);
  const headers = new Headers(request.headers);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const { identity = null } = await chargedCaller(parts, context, undefined, new Request(request.url, { headers }));
  rules.checkConnect(identity);
  return identity;
}

/** From which client a connection comes. What is longer than a connection's tag may be on Cloudflare is cut. */
export function originOf({ config }: HttpParts, request: Request, identity: Identity | null): string {
  return clientName(identity ?? undefined, addressOf(request, config.addressHeader)).slice(0, 256);
}
