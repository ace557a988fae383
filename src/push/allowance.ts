import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { ClientFrame } from "./frames.ts";

/** Seconds of frames that may come at once. */
const BURST = 4;
/** What an acknowledgement counts for among the frames of a client: some clients send one for each message. */
const ACK_COST = 0.1;
/** Of this rate a client that asks for presence has a fiftieth: each time takes rows and messages of other gates ([PUSH13]). */
const PRESENCE_PART = 50;

/** What a frame counts for. @param rate frames a second */
export function costOf(frame: ClientFrame, rate: number): number {
  if (frame.kind === "ack") return ACK_COST;
  return frame.kind === "subscribe" && frame.presence === true ? Math.max(1, rate / PRESENCE_PART) : 1;
}

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
