import { setTimeout as sleep } from "node:timers/promises";

/** One reliable call as the client knows it: what it asked, and every answer it got. */
export interface IssuedCall {
  readonly callId: string;
  readonly wallet: string;
  readonly method: "deposit" | "withdraw";
  readonly amount: number;
  readonly answers: { readonly status: number; readonly body: string; readonly replayed: boolean }[];
}

/**
 * Clients that move money in wallets by reliable calls, repeat 30 % of their call ids on purpose, and retry every call on
 * any failure until it has a final answer.
 */
export class WalletTraffic {
  readonly calls = new Map<string, IssuedCall>();
  failures = 0;
  readonly #url: () => string;
  readonly #random: () => number;
  readonly #wallets: number;
  #stopping = false;
  #running: Promise<void>[] = [];
  #next = 0;

  constructor(options: { url: () => string; wallets: number; random: () => number }) {
    this.#url = options.url;
    this.#wallets = options.wallets;
    this.#random = options.random;
  }

  get acknowledged(): number {
    return [...this.calls.values()].filter((call) => call.answers.length > 0).length;
  }

  start(clients: number): void {
    this.#running = Array.from({ length: clients }, () => this.#client());
  }

  /** Lets every call under way get its answer. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  async #client(): Promise<void> {
    while (!this.#stopping) await this.#perform(this.#choose());
  }

  #choose(): IssuedCall {
    if (this.calls.size > 0 && this.#random() < 0.3) {
      const known = [...this.calls.values()];
      return known[Math.floor(this.#random() * known.length)] as IssuedCall;
    }
    const call: IssuedCall = {
      callId: `call-${this.#next++}`,
      wallet: `wallet-${Math.floor(this.#random() * this.#wallets)}`,
      method: this.#random() < 0.7 ? "deposit" : "withdraw",
      amount: 1 + Math.floor(this.#random() * 20),
      answers: [],
    };
    this.calls.set(call.callId, call);
    return call;
  }

  async #perform(call: IssuedCall): Promise<void> {
    for (let pause = 10; ; pause = Math.min(500, pause * 2)) {
      try {
        const answer = await fetch(`${this.#url()}/api/v1/objects/call/Wallet/${call.wallet}/${call.method}`, {
          method: "POST",
          headers: { "idempotency-key": call.callId },
          body: JSON.stringify({ request: { amount: call.amount } }),
          signal: AbortSignal.timeout(10_000),
        });
        const body = await answer.text();
        const refused = answer.status === 422 && body.includes("INSUFFICIENT_FUNDS");
        if (answer.status === 200 || refused) {
          const replayed = answer.headers.get("idempotency-replayed") === "true";
          call.answers.push({ status: answer.status, body: withoutRequestId(body), replayed });
          return;
        }
        if (answer.status < 500) throw new Error(`unexpected answer ${answer.status}: ${body}`);
      } catch (error) {
        if (error instanceof Error && error.message.startsWith("unexpected")) throw error;
      }
      this.failures++;
      await sleep(pause);
    }
  }
}

function withoutRequestId(body: string): string {
  return body.replace(/"requestId":"[^"]*"/, "");
}

/** A small seeded generator of numbers in [0, 1): mulberry32 (Ettinger, public domain). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
