import type { WireError } from "../errors/edgeverse-error.ts";
import type { Standing } from "../limits/client-limits.ts";
import { clientName } from "../limits/client-name.ts";
import type { RefusalDetails } from "../limits/refusal.ts";
import type { Caller } from "../object/call.ts";
import { callerOf } from "./authentication.ts";
import { addressOf } from "./client-address.ts";
import type { HttpParts } from "./ports.ts";
import type { HttpContext } from "./route.ts";

const NONE: [] = [];

type Parts = Pick<HttpParts, "authenticate" | "clients" | "config">;

/**
 * The caller of a request for something that is no call of an object, after it has been charged to its limits ([LIM1]). Whoever
 * fails to authenticate is charged by its address.
 *
 * @throws EdgeverseError `RATE_LIMITED`, `UNAUTHENTICATED`
 */
export async function chargedCaller(
  parts: Parts,
  context: HttpContext,
  type?: string,
  credentials?: Request,
): Promise<Caller> {
  const caller = await knownCaller(parts, context, credentials);
  charge(parts, context, caller, type);
  return caller;
}

/**
 * The caller of a request; each of its calls is to be charged.
 * @param credentials what has them, where they are not in the usual headers
 * @throws EdgeverseError `RATE_LIMITED`, `UNAUTHENTICATED`
 */
export async function knownCaller(
  parts: Parts,
  context: HttpContext,
  credentials: Request = context.request,
): Promise<Caller> {
  try {
    return await callerOf(parts, credentials);
  } catch (error) {
    charge(parts, context, { kind: "client" });
    throw error;
  }
}

/** Takes what a request, or one call in it, costs its client. @throws EdgeverseError `RATE_LIMITED` */
export function charge(
  { clients, config }: Pick<HttpParts, "clients" | "config">,
  context: HttpContext,
  { identity }: Caller,
  type?: string,
  method?: string,
): void {
  if (clients === undefined || clients.isEmpty) return;
  const address = identity === undefined ? addressOf(context.request, config.addressHeader) : undefined;
  context.limits.standings = clients.take(clientName(identity, address), identity, type, method);
}

/**
 * What is left to the client, as draft-ietf-httpapi-ratelimit-headers-11 writes it: `q` and `w` are the burst and the seconds in
 * which an empty bucket fills, `r` and `t` what is left and the seconds until it is full.
 */
export function limitHeaders(standings: readonly Standing[]): readonly (readonly [name: string, value: string])[] {
  if (standings.length === 0) return NONE;
  const left = standings.map((each) => `"${each.limit.name}";r=${each.left};t=${Math.ceil(each.debt / 1_000)}`);
  return [
    ["ratelimit", left.join(", ")],
    ["ratelimit-policy", standings.map(({ limit }) => policy(limit)).join(", ")],
  ];
}

/** The same of a call that was refused, wherever it was: `t` is when it would be taken. */
export function refusalHeaders({ code, details, retryAfter = 1 }: WireError): Record<string, string> | undefined {
  if (code !== "RATE_LIMITED" || typeof details !== "object" || details === null || !("limit" in details))
    return undefined;
  const { limit, rate, burst, left } = details as RefusalDetails;
  return {
    ratelimit: `"${limit}";r=${left};t=${Math.ceil(retryAfter)}`,
    "ratelimit-policy": policy({ name: limit, rate, burst }),
  };
}

function policy({
  name,
  rate,
  burst,
}: {
  readonly name: string;
  readonly rate: number;
  readonly burst: number;
}): string {
  return `"${name}";q=${burst};w=${Math.max(1, Math.ceil(burst / rate))}`;
}
