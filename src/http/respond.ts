/** Answers with a JSON text. `extra` are headers in lower case. */
export function respond(
  text: string,
  requestId: string,
  status = 200,
  extra?: Readonly<Record<string, string>>,
): Response {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
  };
  if (extra !== undefined) Object.assign(headers, extra);
  return new Response(text, { status, headers });
}
