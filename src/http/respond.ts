type Headers = Readonly<Record<string, string>>;

/** Answers with a JSON text. `extra` are headers in lower case. */
export function respond(text: string, requestId: string, status = 200, extra?: Headers): Response {
  const headers = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
  };
  if (extra !== undefined) Object.assign(headers, extra);
  return new Response(text, { status, headers });
}

/**
 * Answers a call that went well. Nobody keeps the answer to a POST, and no page can show it in a frame: it goes without the
 * headers about that, since each costs the call a microsecond.
 */
export function respondToCall(text: string, requestId: string, extra?: Headers): Response {
  const headers = {
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
  };
  if (extra !== undefined) Object.assign(headers, extra);
  return new Response(text, { headers });
}
