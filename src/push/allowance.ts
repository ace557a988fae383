import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Seconds of frames that may come at once. */
const BURST = 4;
/** What an acknowledgement counts for among the frames of a client: some clients send one for each message. */
export const ACK_COST = 0.1;

/** Frames that a client may send: so many a second, and as many as in four seconds at once. */
export class Allowance {
  readonly #rate: number;
  #left: number;
  #at: number;

  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#left = rate * BURST;
    this.#at = now;
  }

  /**
   * @param cost in frames
   * @returns what may be done with the frame: `refuse` is for what can be refused with an answer; who goes on all the same is to `end`
   */
  spend(cost: number, now: number): "take" | "refuse" | "end" {
    const passed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#left = Math.min(this.#rate * BURST, this.#left + (passed * this.#rate) / 1_000) - cost;
    if (this.#left >= 0) return "take";
    return this.#left >= -this.#rate * BURST ? "refuse" : "end";
  }
}

export function tooManyFrames(): EdgeverseError {
  return new EdgeverseError("RATE_LIMITED", "This client sends too many frames", { retryAfter: 1 });
}
