import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PublicEvent } from "../../src/object/event.ts";
import type { Ledger } from "./ledger.ts";

interface Heard {
  /** Ids by `n`: index 0 is the first event. */
  readonly ids: string[];
  sequence: string;
}

/** The outside: a web server that events are posted to. It fails now and then, and takes notes of what it was told. */
export class Hook {
  /** What came more than once, and what was turned away or went unanswered. */
  readonly counts = { events: 0, again: 0, refused: 0, unanswered: 0 };
  readonly secret = `whsec_${randomBytes(32).toString("base64")}`;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #heard = new Map<string, Heard>();
  readonly #server = createServer((request, response) => void this.#take(request, response));

  constructor(ledger: Ledger, random: () => number) {
    this.#ledger = ledger;
    this.#random = random;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** How many events of an object came, each counted once. */
  heardOf(subject: string): number {
    return this.#heard.get(subject)?.ids.length ?? 0;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const dice = this.#random();
    if (dice < 0.05) {
      this.counts.refused++;
      response.writeHead(503).end();
      return;
    }
    if (!request.headers["webhook-signature"]?.includes("v1,")) this.#ledger.break("an event came without a signature");
    this.#note(JSON.parse(Buffer.concat(chunks).toString("utf8")) as PublicEvent);
    // It was heard, and the host can't know.
    if (dice < 0.1) {
      this.counts.unanswered++;
      request.destroy();
    } else response.writeHead(204).end();
  }

  #note({ id, subject, sequence, data }: PublicEvent): void {
    const heard = this.#heard.get(subject) ?? { ids: [], sequence: "" };
    this.#heard.set(subject, heard);
    const { n } = data as { n: number };
    const { ids } = heard;
    this.counts.events++;
    if (n <= ids.length) {
      this.counts.again++;
      if (ids[n - 1] !== id) this.#ledger.break(`event ${n} of ${subject} came as ${ids[n - 1]}, and again as ${id}`);
      return;
    }
    if (n !== ids.length + 1) this.#ledger.break(`event ${n} of ${subject} came after event ${ids.length}`);
    if (sequence <= heard.sequence) this.#ledger.break(`the sequence of event ${n} of ${subject} does not grow`);
    ids[n - 1] = id;
    heard.sequence = sequence;
  }
}
