import { setTimeout as sleep } from "node:timers/promises";
import { MEMBERS, START } from "./groups.ts";
import type { SoakHost } from "./host.ts";
import type { Ledger } from "./ledger.ts";

/** The deadline of every healthy call, in ms. */
const DEADLINE = 10_000;
/** Ms of up-time in which a call must be through that was refused and repeated as its answer says. */
const PATIENCE = 3 * DEADLINE;
const OBJECTS = 40;
const GROUPS = 6;
/** What everybody has to bid with. */
const FUNDS = 1_000_000;
const PAUSE = 15;

interface Reply {
  readonly text: string;
  readonly replayed: boolean;
}

/** A reliable call that is over, to be repeated. */
interface Past {
  readonly path: string;
  readonly body: string;
  readonly callId: string;
  readonly text: string;
}

/** A client that calls healthy objects, one call after the other, and holds the host to every answer. */
export class HealthyClient {
  readonly #host: SoakHost;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #name: string;
  readonly #past: Past[] = [];
  #calls = 0;

  constructor(host: SoakHost, ledger: Ledger, random: () => number, name: string) {
    this.#host = host;
    this.#ledger = ledger;
    this.#random = random;
    this.#name = name;
  }

  async run(stop: AbortSignal): Promise<void> {
    const funds = JSON.stringify({ request: { amount: FUNDS } });
    const funded = await this.#reliably(`call/Wallet/${this.#bidder}/deposit`, funds);
    if (funded !== undefined) this.#ledger.funds.set(this.#bidder, FUNDS);
    while (!stop.aborted) {
      await this.#once();
      await sleep(PAUSE);
    }
  }

  async #once(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.2) return this.#add();
    if (dice < 0.3) return this.#payTogether();
    if (dice < 0.35) return this.#count();
    if (dice < 0.45) return this.#append();
    if (dice < 0.65) return this.#deposit();
    if (dice < 0.8) return this.#transfer();
    if (dice < 0.86) return this.#repeat();
    if (dice < 0.88) return this.#open();
    if (dice < 0.95) return this.#bid();
    await this.#call(`call/Counter/${this.#id("counter")}/get`, "{}");
  }

  async #add(): Promise<void> {
    const id = this.#id("counter");
    const entry = this.#ledger.entry(this.#ledger.counters, id);
    const reply = await this.#call(`call/Counter/${id}/add`, '{"request":{"by":1}}');
    if (reply === undefined) entry.unknown++;
    else entry.acknowledged++;
  }

  /** Three calls in a batch: they run in their order. */
  async #append(): Promise<void> {
    const id = this.#id("journal");
    const entry = this.#ledger.entry(this.#ledger.journals, id);
    const of = `${this.#name}-${this.#calls}`;
    const calls = [0, 1, 2].map((n) => ({ type: "Journal", id, method: "append", request: { entry: `${of} ${n}` } }));
    const reply = await this.#call("batch", JSON.stringify({ calls }));
    if (reply === undefined) {
      entry.unknown += calls.length;
      return;
    }
    const { results } = JSON.parse(reply.text) as {
      results: { response?: { number: number }; error?: { code: string } }[];
    };
    const numbers = results.flatMap(({ response }) => (response === undefined ? [] : [response.number]));
    entry.acknowledged += numbers.length;
    const odd = results.find(({ error }) => error !== undefined && error.code !== "OVERLOADED");
    if (odd !== undefined) this.#ledger.break(`a call of a batch on ${id} answered ${JSON.stringify(odd)}`);
    if (numbers.some((number, at) => at > 0 && number <= (numbers[at - 1] as number))) {
      this.#ledger.break(`a batch on ${id} ran out of order: ${numbers}`);
    }
  }

  async #deposit(): Promise<void> {
    const to = this.#id("wallet");
    const amount = 1 + Math.floor(this.#random() * 9);
    const reply = await this.#reliably(`call/Wallet/${to}/deposit`, JSON.stringify({ request: { amount } }));
    if (reply !== undefined) this.#ledger.pay(to, amount);
  }

  async #transfer(): Promise<void> {
    const [from, to] = [this.#id("wallet"), this.#id("wallet")];
    if (from === to) return;
    const body = JSON.stringify({ request: { to, amount: 1 } });
    const reply = await this.#reliably(`call/Wallet/${from}/transfer`, body, "INSUFFICIENT_FUNDS");
    if (reply !== undefined && !reply.text.includes('"code"')) this.#ledger.pay(to, 1, from);
  }

  /** Pays another of the same group, in a transaction that tells the outside. */
  async #payTogether(): Promise<void> {
    const group = this.#group;
    const first = Math.floor(this.#random() * MEMBERS);
    const second = (first + 1 + Math.floor(this.#random() * (MEMBERS - 1))) % MEMBERS;
    const [from, to] = [`${group}:${first}`, `${group}:${second}`];
    const body = JSON.stringify({ request: { to, amount: 1 + Math.floor(this.#random() * 40) } });
    const callId = `soak-pay-${this.#name}-${this.#calls}`;
    const reply = await this.#call(`call/Account/${encodeURIComponent(from)}/pay`, body, callId, "INSUFFICIENT_FUNDS");
    if (reply === undefined || reply.text.includes('"code"')) return;
    this.#ledger.payments.set(from, (this.#ledger.payments.get(from) ?? 0) + 1);
  }

  /** Looks at all accounts of a group in one transaction: nobody may see money that is nowhere, or twice. */
  async #count(): Promise<void> {
    const group = this.#group;
    const path = `call/Account/${encodeURIComponent(`${group}:0`)}/count`;
    const reply = await this.#call(path, JSON.stringify({ request: { group } }));
    if (reply === undefined) return;
    this.#ledger.counted++;
    const { sum } = (JSON.parse(reply.text) as { response: { sum: number } }).response;
    if (sum !== START * MEMBERS) this.#ledger.break(`${group} held ${sum} at one moment, of ${START * MEMBERS}`);
  }

  /** Opens an auction that closes itself in a few seconds. */
  async #open(): Promise<void> {
    const id = `auction-${this.#name}-${this.#calls}`;
    const request = { seller: this.#bidder, seconds: 1 + Math.floor(this.#random() * 8) };
    const reply = await this.#call(`call/Auction/${id}/open`, JSON.stringify({ request }), `soak-${id}`);
    if (reply !== undefined) this.#ledger.auctions.push(id);
  }

  /** Bids at one that may be open. */
  async #bid(): Promise<void> {
    const id = this.#ledger.auctions.at(-1 - Math.floor(this.#random() * 8));
    if (id === undefined) return;
    const request = { bidder: this.#bidder, amount: 1 + Math.floor(this.#random() * 100) };
    const callId = `soak-bid-${this.#name}-${this.#calls}`;
    await this.#call(`call/Auction/${id}/bid`, JSON.stringify({ request }), callId, "CALL_FAILED");
  }

  /** Sends a reliable call of before once more. */
  async #repeat(): Promise<void> {
    const past = this.#past[Math.floor(this.#random() * this.#past.length)];
    if (past === undefined) return;
    const { path, body, callId, text } = past;
    const reply = await this.#call(path, body, callId);
    if (reply === undefined) return;
    this.#ledger.replayed++;
    if (reply.text !== text || !reply.replayed) {
      this.#ledger.break(`${path} answered ${text} under ${callId}, and when it was repeated ${reply.text}`);
    }
  }

  async #reliably(path: string, body: string, refusal?: string): Promise<Reply | undefined> {
    const callId = `soak-${this.#name}-${this.#calls}`;
    const reply = await this.#call(path, body, callId, refusal);
    this.#ledger.reliable++;
    if (reply === undefined) return undefined;
    if (refusal === undefined || !reply.text.includes(refusal)) {
      this.#past[this.#past.length < 200 ? this.#past.length : Math.floor(this.#random() * 200)] = {
        path,
        body,
        callId,
        text: reply.text,
      };
    }
    return reply;
  }

  /** Undefined: the host was killed, and nobody knows what became of the plain call. */
  async #call(path: string, body: string, callId?: string, refusal?: string): Promise<Reply | undefined> {
    this.#calls++;
    const begun = performance.now();
    for (;;) {
      const at = performance.now();
      const said = await this.#send(path, body, callId);
      const now = performance.now();
      if (said.status === 200 || (said.status === 422 && refusal !== undefined && said.text.includes(refusal))) {
        this.#ledger.calls++;
        this.#ledger.longest = Math.max(this.#ledger.longest, this.#host.down.upTime(begun, now));
        return { text: withoutRequestId(said.text), replayed: said.replayed };
      }
      const killed = this.#host.down.touches(at, now);
      if (!killed && said.code !== "OVERLOADED") {
        this.#ledger.break(
          `${path} answered ${said.status} ${said.text.slice(0, 300)} after ${Math.round(now - at)} ms`,
        );
        return undefined;
      }
      this.#ledger.repeat(killed ? "killed" : "OVERLOADED");
      if (killed && callId === undefined) return undefined;
      if (this.#host.down.upTime(begun, now) > PATIENCE) {
        this.#ledger.break(`${path} was not through after ${PATIENCE} ms: ${said.text.slice(0, 300)}`);
        return undefined;
      }
      await sleep(100 + this.#random() * 200);
    }
  }

  async #send(path: string, body: string, callId: string | undefined) {
    try {
      const answer = await fetch(`${this.#host.url}/api/v1/objects/${path}`, {
        method: "POST",
        headers: { "edgeverse-timeout": `${DEADLINE}`, ...(callId === undefined ? {} : { "idempotency-key": callId }) },
        body,
        signal: AbortSignal.timeout(2 * DEADLINE),
      });
      const text = await answer.text();
      const code = /"code":"(\w+)"/.exec(text)?.[1];
      return { status: answer.status, text, code, replayed: answer.headers.get("idempotency-replayed") === "true" };
    } catch (error) {
      return {
        status: 0,
        text: `no answer: ${error} ${(error as Error).cause ?? ""}`,
        code: undefined,
        replayed: false,
      };
    }
  }

  get #group(): string {
    return `group-${Math.floor(this.#random() * GROUPS)}`;
  }

  get #bidder(): string {
    return `bidder-${this.#name}`;
  }

  #id(kind: string): string {
    return `${kind}-${String(Math.floor(this.#random() * OBJECTS)).padStart(2, "0")}`;
  }
}

function withoutRequestId(text: string): string {
  return text.replace(/"requestId":"[^"]*"/, "");
}
