import { LEAST_OTHER } from "./unread.ts";

/** Bounds of live state, or of presence, that is on its way to a client: beyond them it is sent nothing more. */
export const LIVE_WINDOW = { bytes: 256 * 1024, frames: 64 } as const;

/** Numbers of questions about presence begin above those about states. */
const PRESENCE_FIRST = 2 ** 48;

/**
 * What of live state a client was sent and may not have read. It is asked to send a number back when half of the window is
 * used, and has read by then what was sent before.
 */
export class LiveWindow {
  #frames = 0;
  #bytes = 0;
  #asked: { readonly n: number; frames: number; bytes: number } | undefined;
  #questions: number;
  #looked = 0;

  /** @param now ms: numbers begin there, so that a late answer to a gate that has slept since fits no question of now */
  constructor(now: number, about: "states" | "presence" = "states") {
    this.#questions = (about === "states" ? LEAST_OTHER : PRESENCE_FIRST) + now;
  }

  /** Whether a number that came back belongs to a question about live state. */
  static isHere(n: number): boolean {
    return n >= LEAST_OTHER && n < PRESENCE_FIRST;
  }

  /** The same about presence. */
  static isPresence(n: number): boolean {
    return n >= PRESENCE_FIRST;
  }

  get hasRoom(): boolean {
    return this.#frames < LIVE_WINDOW.frames && this.#bytes < LIVE_WINDOW.bytes;
  }

  /** @returns the number to ask the client for now */
  sent(bytes: number): number | undefined {
    this.#frames++;
    this.#bytes += bytes;
    if (this.#asked !== undefined) return undefined;
    if (this.#frames < LIVE_WINDOW.frames / 2 && this.#bytes < LIVE_WINDOW.bytes / 2) return undefined;
    this.#asked = { n: ++this.#questions, frames: this.#frames, bytes: this.#bytes };
    return this.#asked.n;
  }

  /** @returns false for an answer to a question of which nothing is known: the gate has slept since */
  read(n: number): boolean {
    if (this.#asked?.n !== n) return this.#asked !== undefined;
    this.#frames -= this.#asked.frames;
    this.#bytes -= this.#asked.bytes;
    this.#asked = undefined;
    return true;
  }

  /** Whether it still owes the answer that it owed when this was asked before. */
  isStalled(): boolean {
    const before = this.#looked;
    this.#looked = this.#asked?.n ?? 0;
    return before > 0 && this.#looked === before;
  }
}
