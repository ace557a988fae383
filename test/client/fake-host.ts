import { createClient } from "edgeverse/client";

/** One request as the fake host got it. */
export interface Seen {
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

type Reply = Response | Error | "silence";

/** A host of prepared answers, one for each request; the last one stays. */
export function fakeHost(...replies: readonly ((seen: Seen) => Reply)[]) {
  const requests: Seen[] = [];
  const fetch = async (url: string, { headers, body, signal }: RequestInit): Promise<Response> => {
    signal?.throwIfAborted();
    const seen = { path: new URL(url).pathname, headers: new Headers(headers), body: JSON.parse(String(body)) };
    const reply = replies[Math.min(requests.push(seen), replies.length) - 1]?.(seen);
    if (reply === "silence" || reply === undefined)
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { requests, fetch };
}

export const ok = (response: unknown) => () => Response.json({ response });

export const problem =
  (code: string, more: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}) =>
  () =>
    Response.json({ code, detail: "because", retryable: false, requestId: "r1", ...more }, { status: 503, headers });

export const offline = () => new TypeError("fetch failed");

export function clientOf(fetch: (url: string, init: RequestInit) => Promise<Response>, more = {}) {
  return createClient({ url: "http://host/edge/", fetch, ...more });
}
