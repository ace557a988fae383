import { Failure } from "./failure.ts";

/** A request. */
export interface Send {
  readonly method?: string;
  /** Below the deployment's URL, as it shall be sent. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, if it is JSON. */
  readonly json: unknown;
  /** The code of a problem. */
  readonly code: string | undefined;
}

/** Ms that one answer may take: a deployment has 30 s for a call. */
const ANSWER_LIMIT = 40_000;

/** Characters that a secret has at least: "1" would be hidden in every number. */
const SECRET = 6;

/** A running deployment, over HTTP. It sends the operator's secrets, and keeps them out of what anybody prints. */
export class Deployment {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  #requests = 0;

  /** @param headers sent with every request, for what stands in front of the Worker */
  constructor(url: URL, token: string | undefined, headers: Readonly<Record<string, string>> = {}) {
    this.url = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
    this.#token = token;
    this.#headers = headers;
  }

  get requests(): number {
    return this.#requests;
  }

  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  /** The path that the deployment's own paths begin with: empty at the root. */
  get basePath(): string {
    return new URL(this.url).pathname.replace(/\/$/, "");
  }

  /** @throws Failure when no answer comes. What was aborted may have taken effect. */
  async send({ method = "GET", path, headers, body }: Send, signal?: AbortSignal): Promise<Answer> {
    const late = AbortSignal.timeout(ANSWER_LIMIT);
    this.#requests++;
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: { ...this.#headers, ...headers },
        redirect: "manual",
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      return answerOf(response.status, response.headers, await response.text());
    } catch (error) {
      signal?.throwIfAborted();
      throw new Failure(`${method} ${path.slice(0, 120)} got no answer: ${reasonOf(error)}`);
    }
  }

  /** As an operator. */
  admin(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
    const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    return this.send({ method, path: path.startsWith("/") ? path : `/admin/v1/${path}`, headers, body }, signal);
  }

  /** The text without what must not be shown. */
  redact(text: string): string {
    const secrets = [this.#token ?? "", ...Object.values(this.#headers)].filter((secret) => secret.length >= SECRET);
    return secrets.reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text);
  }
}

function answerOf(status: number, headers: Headers, text: string): Answer {
  const json = parse(text);
  const code = (json as { code?: unknown } | null | undefined)?.code;
  return { status, headers, text, json, code: typeof code === "string" ? code : undefined };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` says "fetch failed", and why in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || (cause as Error & { code?: string }).code || message : message;
}
