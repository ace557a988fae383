import type { ErrorCode } from "../src/errors/codes.ts";
import type { Call } from "./call.ts";
import { ClientError, lost, type Repeatable } from "./client-error.ts";
import type { Tokens } from "./tokens.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** An answer that went well. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Message extends Repeatable {
  readonly path: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The host over HTTP. */
export class Http {
  readonly #base: string;
  readonly #fetch: Fetch;
  readonly #tokens: Tokens;

  constructor(base: string, tokens: Tokens, fetcher: Fetch | undefined) {
    this.#base = base;
    this.#tokens = tokens;
    // `fetch` of a page wants to be called as a function of the window.
    this.#fetch = fetcher ?? ((url, init) => fetch(url, init));
  }

  async call(call: Call, signal: AbortSignal): Promise<unknown> {
    const { type, id, method, request, callId, repeat, timeout, expiresIn } = call;
    const headers: Record<string, string> = {};
    if (callId !== undefined) headers["idempotency-key"] = `"${callId.replace(/["\\]/g, "\\$&")}"`;
    if (timeout !== undefined) headers["edgeverse-timeout"] = String(timeout);
    if (expiresIn !== undefined) headers["edgeverse-expires-in"] = String(expiresIn);
    const path = `call/${[type, id, method].map(encodeURIComponent).join("/")}`;
    const { body } = await this.send({ path, body: { request }, headers, repeat, callId }, signal);
    return (body as { response: unknown }).response;
  }

  /** Posts to `/api/v1/objects/…`. @throws ClientError, or the signal's reason */
  async send(message: Message, signal: AbortSignal): Promise<Answer> {
    const token = await this.#tokens.get();
    try {
      return await this.#post(message, token, signal);
    } catch (error) {
      if (!(error instanceof ClientError && error.code === "UNAUTHENTICATED" && this.#tokens.canRenew)) throw error;
      // The host has looked at the token, and at nothing else.
      return this.#post(message, await this.#tokens.renew(token), signal);
    }
  }

  async #post(message: Message, token: string | undefined, signal: AbortSignal): Promise<Answer> {
    const { path, body, headers } = message;
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(`${this.#base}/api/v1/objects/${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: JSON.stringify(body),
        signal,
      });
      text = await response.text();
    } catch (error) {
      signal.throwIfAborted();
      throw lost(message, error);
    }
    const answer = parse(text);
    if (response.ok && answer !== undefined) return { status: response.status, body: answer };
    throw problem(response, answer as Problem | undefined, message);
  }
}

interface Problem {
  readonly code?: ErrorCode;
  readonly detail?: string;
  readonly retryable?: boolean;
  readonly reason?: string;
  readonly details?: unknown;
  readonly requestId?: string;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error in an answer. One that is not the host's is a proxy's, or of a network that wants one to sign in first. */
function problem(
  { status, headers }: Response,
  body: Problem | undefined,
  { repeat, callId }: Repeatable,
): ClientError {
  const retryAfter = seconds(headers.get("retry-after"));
  if (body?.code !== undefined) {
    const { code, detail = "", retryable, reason, details, requestId } = body;
    return new ClientError(code, detail, { retryable, reason, details, requestId, retryAfter, callId });
  }
  const code = status === 429 ? "RATE_LIMITED" : "UNAVAILABLE";
  const message = `This is no answer of a host (status ${status})`;
  return new ClientError(code, message, { retryable: repeat, retryAfter, callId });
}

/** `Retry-After`: seconds, or a date. */
function seconds(text: string | null): number | undefined {
  if (text === null) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1_000;
  return value > 0 ? value : undefined;
}
