import { Violation } from "../violation.ts";
import type { RoomMessage } from "./room.ts";

/** What a client has got: a message, or that some may be missing. */
export type Got = { readonly kind: "message"; readonly message: RoomMessage } | { readonly kind: "gap" };

/** One session as its client has lived through it. */
export class Story {
  readonly client: string;
  readonly token: string;
  /** When the client knew that it began. */
  readonly from: number;
  /** When it knew that it listened to each topic. */
  readonly topics = new Map<string, number>();
  readonly got: Got[] = [];
  /** The newest message it has, by number. */
  seen: number;
  /** Since when it may have been away, if it is; the gate may not know. */
  awaySince: number | undefined;
  /** It has said that it leaves. */
  left = false;
  readonly #last = new Map<string, number>();

  constructor(client: string, token: string, seen: number, from: number) {
    this.client = client;
    this.token = token;
    this.seen = seen;
    this.from = from;
  }

  /** @returns false for what it has already. @throws Violation */
  message(n: number, topic: string | undefined, message: RoomMessage): boolean {
    if (n <= this.seen) return false;
    const { room, n: number, to } = message;
    const last = this.#last.get(room) ?? 0;
    if (number <= last)
      throw new Violation(`[PUSH4] ${this.client} got message ${number} of room ${room} after ${last}`);
    const wanted = to === "topic" ? `room/${room}` : undefined;
    if (topic !== wanted || (to !== "topic" && to !== "all" && to !== this.client))
      throw new Violation(`[PUSH4] ${this.client} got by topic ${topic} what was for ${to}`);
    this.#last.set(room, number);
    this.seen = n;
    this.got.push({ kind: "message", message });
    return true;
  }

  gap(n: number): void {
    if (n <= this.seen) return;
    this.seen = n;
    this.got.push({ kind: "gap" });
  }
}
