import { setTimeout as sleep } from "node:timers/promises";
import type { SoakHost } from "./host.ts";

/** Who has no answer by then hangs. Far beyond the deadline of a call: other tests may have the cores. */
const LIMIT = 30_000;
const PAUSE = 60;
const OBJECTS = 12;
const MEGABYTE = 1_000_000;

/** Codes that a harmful call may have, with what they mean for it; 200 for what the host can take. */
const FINE = /^(0|200|202|400|404|409|413|422|500|503|504|507)$/;

interface Hostile {
  readonly method: string;
  readonly request?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client that calls what does harm, and minds no answer but one that no contract has. */
export class HostileClient {
  /** Calls by method and status. */
  readonly counts: Record<string, number> = {};
  readonly odd: string[] = [];
  readonly #host: SoakHost;
  readonly #random: () => number;
  #calls = 0;

  constructor(host: SoakHost, random: () => number) {
    this.#host = host;
    this.#random = random;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const dice = this.#random();
      if (dice < 0.05) await this.#pileUp();
      else if (dice < 0.1) await this.#greedyBatch();
      else if (dice < 0.15) await this.#badBody();
      else await this.#poison();
      await sleep(PAUSE);
    }
  }

  #choose(): Hostile {
    const { pick } = this;
    const choices: readonly (() => Hostile)[] = [
      () => ({
        method: "throwOdd",
        request: { what: pick("null", "undefined", "text", "symbol", "getter", "proxy", "circle", "huge") },
      }),
      () => ({ method: "leaveUnfit", request: { what: pick("bigint", "number", "nothing", "circle") } }),
      () => ({ method: pick("loop", "hang", "throwLater", "vanish", "callItself") }),
      () => ({ method: "burn", request: { rounds: pick(1_000, 2_000_000) } }),
      () => ({ method: "grow", request: { bytes: pick(100, MEGABYTE, 1_799_000, 3 * MEGABYTE) } }),
      () => ({ method: "putRows", request: { rows: pick(1, 3, 20), bytes: pick(10, 1_700_000) } }),
      () => ({ method: "answer", request: { bytes: pick(10, 1_700_000, 5 * MEGABYTE) } }),
    ];
    const chosen = pick(...choices)();
    // Half of them are reliable: what fails again and again must be set aside.
    return this.#random() < 0.5 ? chosen : { ...chosen, headers: { "idempotency-key": this.#callId() } };
  }

  async #poison(): Promise<void> {
    const { method, request, headers } = this.#choose();
    // Long ids make long keys.
    const id = this.#random() < 0.2 ? `poison-${"x".repeat(500)}` : this.#id();
    await this.#send(method, `call/Poison/${id}/${method}`, { request }, headers);
  }

  /** Requests of a megabyte that wait in line. */
  async #pileUp(): Promise<void> {
    const id = this.#id();
    const body = { request: { ms: 200, filling: "x".repeat(MEGABYTE) } };
    const calls = Array.from({ length: 20 }, () => {
      const headers = { "idempotency-key": this.#callId(), prefer: "respond-async" };
      return this.#send("dawdle", `call/Poison/${id}/dawdle`, body, headers);
    });
    await Promise.all(calls);
  }

  /** Answers that are too large together. */
  async #greedyBatch(): Promise<void> {
    const call = { type: "Poison", id: this.#id(), method: "answer", request: { bytes: MEGABYTE } };
    await this.#send("batch", "batch", { calls: Array.from({ length: 40 }, () => call) });
  }

  async #badBody(): Promise<void> {
    const body = this.pick(
      "{",
      `${"[".repeat(100_000)}`,
      "x".repeat(20 * MEGABYTE),
      '{"request":{"__proto__":{}}}',
      '{"request":1e999}',
    );
    await this.#send("body", `call/Poison/${this.#id()}/grow`, body);
  }

  async #send(
    what: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const at = performance.now();
    let status = 0;
    try {
      const answer = await fetch(`${this.#host.url}/api/v1/objects/${path}`, {
        method: "POST",
        headers: { "edgeverse-timeout": "5000", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
        signal: AbortSignal.timeout(LIMIT),
      });
      status = answer.status;
      await answer.arrayBuffer();
    } catch (error) {
      if (this.#host.down.touches(at, performance.now())) return;
      if ((error as Error).name === "TimeoutError") this.odd.push(`${what} got no answer within ${LIMIT} ms`);
    }
    this.counts[`${what} ${status}`] = (this.counts[`${what} ${status}`] ?? 0) + 1;
    if (!FINE.test(`${status}`)) this.odd.push(`${what} answered ${status}`);
  }

  readonly pick = <Item>(...items: readonly Item[]): Item => items[Math.floor(this.#random() * items.length)] as Item;

  #id(): string {
    return `poison-${Math.floor(this.#random() * OBJECTS)}`;
  }

  #callId(): string {
    return `poison-${this.#calls++}-${Math.floor(this.#random() * 1e9)}`;
  }
}
