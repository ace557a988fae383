/** Bytes of results after which a client is asked whether it reads, without which it gets no more calls, and that end it. */
const ASK = 256 * 1024;
const MUCH = 1024 * 1024;
const TOO_MUCH = 16 * 1024 * 1024;

/** Numbers of questions that begin here are others'. */
export const LEAST_OTHER = 2 ** 32;

/**
 * Results that a client was sent and may not have read. A WebSocket does not say how much of what was sent is still here, so the
 * client is asked now and then to send a number back.
 */
export class Unread {
  #sent = 0;
  #read = 0;
  /** Where the question stands that the client has not answered. */
  #asked: { readonly n: number; readonly at: number } | undefined;
  #questions: number;
  #looked = 0;

  /** @param now ms: numbers begin there, so that a late answer to a gate that has slept since fits no question of now */
  constructor(now: number) {
    this.#questions = now % LEAST_OTHER;
  }

  /** Bytes that count as unread: those of a client that always answers, or was never asked, don't. */
  get counted(): number {
    return this.#asked === undefined ? 0 : this.#sent - this.#read;
  }

  get isMuch(): boolean {
    return this.counted > MUCH;
  }

  get isTooMuch(): boolean {
    return this.counted > TOO_MUCH;
  }

  /** @returns the number to ask the client for now */
  sent(bytes: number): number | undefined {
    this.#sent += bytes;
    if (this.#asked !== undefined || this.#sent - this.#read < ASK) return undefined;
    this.#asked = { n: ++this.#questions, at: this.#sent };
    return this.#questions;
  }

  /** @returns how many bytes less count as unread */
  read(n: number): number {
    if (n !== this.#asked?.n) return 0;
    const before = this.counted;
    this.#read = this.#asked.at;
    this.#asked = undefined;
    return before;
  }

  /** Whether it still owes the answer that it owed when this was asked before. */
  isStalled(): boolean {
    const before = this.#looked;
    this.#looked = this.#asked?.n ?? 0;
    return before > 0 && this.#looked === before;
  }
}
