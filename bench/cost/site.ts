import type { Host } from "../host.ts";
import type { Counts } from "./counts.ts";

/** The metered worker, seen from the bench. */
export class Site {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** @throws Error for any answer that isn't 2xx */
  async post(path: string, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return this.#ask("POST", path, headers, JSON.stringify(body));
  }

  /** A request to the admin API; with a body it is a POST. */
  async admin<Answer>(path: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.#host.adminToken}` };
    const text = body === undefined ? undefined : JSON.stringify(body);
    return (await this.#ask(body === undefined ? "GET" : "POST", `/admin/v1/${path}`, headers, text)) as Answer;
  }

  async reset(): Promise<void> {
    await this.#ask("GET", "/cost/reset", {});
  }

  /** Lets `ms` pass on the meter's clock, with all that is due in them. */
  async pass(ms: number): Promise<Counts> {
    return (await this.#ask("GET", `/cost/pass?ms=${ms}`, {})) as Counts;
  }

  async cron(expression: string): Promise<void> {
    await this.#ask("GET", `/cost/cron?cron=${encodeURIComponent(expression)}`, {});
  }

  async #ask(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<unknown> {
    const url = `http://127.0.0.1:${this.#host.port}${path}`;
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }
}
