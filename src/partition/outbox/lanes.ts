import type { Message } from "../storage/message-rows.ts";
import { laneOf, type Sending } from "./sending.ts";

/** Messages in line, those from one object to another in order: the first is sent until it is accepted, then the next. */
export class Lanes {
  readonly #lanes = new Map<string, Sending[]>();
  readonly #send: (sending: Sending) => void;

  /** @param send is given each message when it is the first of its line */
  constructor(send: (sending: Sending) => void) {
    this.#send = send;
  }

  /** Whether anything is in line between a sender and a receiver. */
  has(message: Message): boolean {
    return this.#lanes.size > 0 && this.#lanes.has(laneOf(message));
  }

  /** Whether it waits for one before it. */
  isBehind(sending: Sending): boolean {
    return sending.inLine && this.#lanes.get(sending.lane)?.[0] !== sending;
  }

  add(sending: Sending): void {
    sending.inLine = true;
    const lane = this.#lanes.get(sending.lane);
    if (lane === undefined) {
      this.#lanes.set(sending.lane, [sending]);
      this.#send(sending);
    } else lane.push(sending);
  }

  /** Takes a message out of its line. If it was the first, the next one may leave. */
  remove(sending: Sending): void {
    const lane = this.#lanes.get(sending.lane);
    const place = lane?.indexOf(sending) ?? -1;
    if (lane === undefined || place < 0) return;
    sending.inLine = false;
    lane.splice(place, 1);
    if (lane.length === 0) this.#lanes.delete(sending.lane);
    else if (place === 0) this.#send(lane[0] as Sending);
  }
}
