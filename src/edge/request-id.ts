import type { Random } from "../platform/ports.ts";

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The client's `X-Request-Id` if it is one, else a new id. */
export function requestIdOf(request: Request, random: Random): string {
  const given = request.headers.get("x-request-id");
  return given !== null && REQUEST_ID.test(given) ? given : random.uuid();
}
