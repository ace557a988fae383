import type { PublicEvent } from "../src/object/event.ts";
import { EventRefused, type EventSink } from "../src/partition/events/ports.ts";

export interface WebhookOptions {
  /** Where events are posted. */
  readonly url: string;
  /** What they are signed with: `whsec_` and 24 to 64 bytes in base64. Several, with spaces between, while one replaces another. */
  readonly secret: string;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}

/** Ms that the endpoint may take to answer. */
const ANSWER_WITHIN = 10_000;
/** Ms after which an event that the endpoint does not take is set aside: a day. */
const PATIENCE = 24 * 60 * 60_000;
/** Statuses that say: not now. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 425, 429]);
/** Hosts that are this machine: there alone may a webhook do without TLS. */
const LOCAL = /^(?:localhost|127\.0\.0\.1|\[::1\])$/;
const PREFIX = "whsec_";

const encoder = new TextEncoder();

/** Posts every event in a message of its own, signed as Standard Webhooks 1.0 says. */
export class WebhookSink implements EventSink {
  readonly limits = { events: 1, bytes: 1024 * 1024, messages: 16 };
  readonly patience = PATIENCE;
  readonly #options: WebhookOptions;
  readonly #url: URL;
  readonly #keys: Promise<readonly CryptoKey[]>;

  /** @throws Error when url or secret can't be used; says nothing of either */
  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#url = endpoint(options.url);
    this.#keys = Promise.all(
      keysOf(options.secret).map((key) =>
        crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
      ),
    );
  }

  async send(events: readonly PublicEvent[]): Promise<void> {
    for (const event of events) await this.#post(event);
  }

  async #post(event: PublicEvent): Promise<void> {
    const body = JSON.stringify(event);
    const timestamp = String(Math.floor(this.#options.now() / 1_000));
    const headers = {
      "content-type": "application/cloudevents+json; charset=utf-8",
      "user-agent": "Edgeverse",
      "webhook-id": event.id,
      "webhook-timestamp": timestamp,
      "webhook-signature": await this.#sign(`${event.id}.${timestamp}.${body}`),
    };
    const status = await this.#fetch({ method: "POST", headers, body, redirect: "manual" });
    if (status >= 200 && status < 300) return;
    const message = `the endpoint answers ${status}`;
    if (status >= 500 || PASSING.has(status)) throw new Error(message);
    throw new EventRefused(status >= 300 && status < 400 ? `${message}, and redirects are not followed` : message);
  }

  /** The status; of the answer's body nothing is read. Errors name neither the address nor what is sent. */
  async #fetch(init: RequestInit): Promise<number> {
    // Called as a plain function: workerd refuses `fetch` with another `this`.
    const { fetch: send } = this.#options;
    try {
      const response = await send(this.#url, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN) });
      await response.body?.cancel().catch(() => undefined);
      return response.status;
    } catch (error) {
      const late = error instanceof Error && error.name === "TimeoutError";
      throw new Error(late ? "the endpoint does not answer in time" : "the endpoint can't be reached");
    }
  }

  async #sign(content: string): Promise<string> {
    const data = encoder.encode(content);
    const signatures = (await this.#keys).map(async (key) => {
      const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, data));
      return `v1,${btoa(String.fromCharCode(...bytes))}`;
    });
    return (await Promise.all(signatures)).join(" ");
  }
}

function endpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secure = url?.protocol === "https:" || (url?.protocol === "http:" && LOCAL.test(url.hostname));
  if (url === undefined || !secure) throw new Error("it must be an address that begins with https://");
  if (url.username !== "" || url.password !== "") throw new Error("it must not contain a user or a password");
  return url;
}

function keysOf(secrets: string): Uint8Array<ArrayBuffer>[] {
  const texts = secrets.split(" ").filter((text) => text !== "");
  if (texts.length === 0) throw wrongSecret();
  return texts.map(keyOf);
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  if (!secret.startsWith(PREFIX)) throw wrongSecret();
  try {
    const key = Uint8Array.from(atob(secret.slice(PREFIX.length)), (letter) => letter.charCodeAt(0));
    if (key.length >= 24 && key.length <= 64) return key;
  } catch {
    // Said below.
  }
  throw wrongSecret();
}

function wrongSecret(): Error {
  return new Error(`it must be "${PREFIX}" and 24 to 64 bytes in base64`);
}
