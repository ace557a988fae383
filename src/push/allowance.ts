import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Seconds of frames that may come at once. */
const BURST = 4;
/** What an acknowledgement counts for among the frames of a client: some clients send one for each message. */
export const ACK_COST = 0.1;

/** Frames that a client may send: so many a second, and as many as in four seconds at once. */
export class Allowance {
  #left: number;
  #at: number;

  constructor(rate: number, now: number) {
    this.#left = rate * BURST;
    this.#at = now;
  }

  /**
   * @param cost in frames
   * @param rate frames a second, which settings may change
   * @returns what may be done with the frame: `refuse` is for what can be refused with an answer; who goes on all the same is to `end`
   */
  spend(cost: number, rate: number, now: number): "take" | "refuse" | "end" {
    const passed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#left = Math.min(rate * BURST, this.#left + (passed * rate) / 1_000) - cost;
    if (this.#left >= 0) return "take";
    return this.#left >= -rate * BURST ? "refuse" : "end";
  }
}

export function tooManyFrames(): EdgeverseError {
  return new EdgeverseError("RATE_LIMITED", "This client sends too many frames", { retryAfter: 1 });
}
