import { CODES } from "../errors/codes.ts";
import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import { publicError } from "../errors/public-error.ts";
import type { HttpParts } from "./ports.ts";
import { refusalHeaders } from "./rate-limits.ts";
import { respond } from "./respond.ts";

/** The answer to a request that failed: `application/problem+json` (RFC 9457). */
export function problem(error: WireError, requestId: string, extra?: Readonly<Record<string, string>>): Response {
  const { code, message, retryable, reason, details, retryAfter } = publicError(error);
  const { status, title } = CODES[code];
  const body = {
    type: `urn:edgeverse:error:${code}`,
    title,
    status,
    detail: message,
    code,
    requestId,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    retryable,
  };
  return respond(JSON.stringify(body), requestId, status, {
    "content-type": "application/problem+json",
    ...(retryAfter === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(retryAfter))) }),
    ...refusalHeaders(error),
    ...(code === "UNAUTHENTICATED" ? { "www-authenticate": 'Bearer realm="edgeverse"' } : {}),
    ...extra,
  });
}

/** The answer to whatever was thrown. What is our fault is reported; the client learns only that it happened. */
export function failure(parts: Pick<HttpParts, "onError">, thrown: unknown, requestId: string): Response {
  const error = EdgeverseError.from(thrown);
  if (error.code === "INTERNAL") parts.onError(thrown, { requestId });
  return problem(error.toWire(), requestId);
}
