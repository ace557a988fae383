import { Violation } from "../violation.ts";

type Frame = { readonly kind: string } & Readonly<Record<string, unknown>>;

export function framesOf(text: string): Frame[] {
  const frames = JSON.parse(text) as Frame | Frame[];
  return Array.isArray(frames) ? frames : [frames];
}

/** What one connection's client has said and been sent, as far as the one forbids the other. */
export class SentFrames {
  /** The newest message that the client has acknowledged, and the gate has heard so. */
  #acked = 0;
  /** The newest that this process of the gate has sent. */
  #last = 0;
  readonly #open = new Set<number>();
  readonly #cancelled = new Set<number>();

  /** The gate's process is another: what was not acknowledged may come once more. */
  anew(): void {
    this.#last = this.#acked;
  }

  /** The gate takes what the client says. */
  heard(text: string): void {
    for (const frame of framesOf(text)) {
      if (frame.kind === "hello" || frame.kind === "ack")
        this.#acked = Math.max(this.#acked, Number(frame["seen"] ?? 0));
      if (frame.kind === "hello") this.anew();
      if (frame.kind === "call") this.#open.add(Number(frame["id"]));
      if (frame.kind === "cancel") this.#cancelled.add(Number(frame["id"]));
    }
  }

  /**
   * The gate sends.
   * @param atOnce whether nothing that it sends waits in it
   * @throws Violation
   */
  sent(text: string, atOnce: boolean): void {
    for (const frame of framesOf(text)) {
      if (frame.kind === "message" || frame.kind === "gap") this.#message(Number(frame["n"]));
      if (frame.kind === "result") this.#result(Number(frame["id"]), atOnce, frame["error"] !== undefined);
    }
  }

  #message(n: number): void {
    if (n <= this.#last)
      throw new Violation(`[PUSH1] message ${n} is sent after ${this.#last}; ${this.#acked} was acknowledged`);
    this.#last = n;
  }

  #result(id: number, atOnce: boolean, isError: boolean): void {
    // The end of a watch is one, too.
    if (isError && !this.#open.has(id)) return;
    if (atOnce && this.#cancelled.has(id)) throw new Violation(`[PUSH8] call ${id} was cancelled, and has a result`);
    if (!this.#open.delete(id)) throw new Violation(`[PUSH8] call ${id} has a result that nobody waits for`);
  }
}
