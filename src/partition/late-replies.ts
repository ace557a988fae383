import type { Reply } from "../object/message.ts";
import type { Clock } from "../platform/ports.ts";

/** Ms that a reply waits to be fetched, and how many there may be. */
const KEEP = 60_000;
const MOST = 10_000;

/**
 * Replies to calls of a batch that was answered without them: each is fetched once, by its ticket ([PUSH8]). They are only in
 * memory: when the process ends, nobody knows what became of such a call, as with any answer that is lost.
 */
export class LateReplies {
  readonly #clock: Clock;
  readonly #nonce: () => string;
  readonly #replies = new Map<string, { readonly reply: Promise<Reply>; until: number }>();
  /** Names this process: a ticket of an earlier one is worth nothing. */
  #prefix: string | undefined;
  #count = 0;
  #sweepAt = 0;

  constructor(clock: Clock, nonce: () => string) {
    this.#clock = clock;
    this.#nonce = nonce;
  }

  get size(): number {
    return this.#replies.size;
  }

  /** @returns the ticket; undefined when no reply more can be kept */
  add(reply: Promise<Reply>): string | undefined {
    this.#sweep();
    if (this.#replies.size >= MOST) return undefined;
    this.#prefix ??= this.#nonce();
    const ticket = `${this.#prefix}.${this.#count++}`;
    const kept = { reply, until: Number.POSITIVE_INFINITY };
    this.#replies.set(ticket, kept);
    void reply.then(() => {
      kept.until = this.#clock.now() + KEEP;
    });
    return ticket;
  }

  /** @throws Error for a ticket of another process, or that was used */
  async take(ticket: string): Promise<Reply> {
    const kept = this.#replies.get(ticket);
    if (kept === undefined) throw new Error("the process that had the reply has ended");
    this.#replies.delete(ticket);
    return kept.reply;
  }

  #sweep(): void {
    const now = this.#clock.now();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + KEEP / 4;
    for (const [ticket, { until }] of this.#replies) if (until <= now) this.#replies.delete(ticket);
  }
}
