import type { Wire, WireNote } from "../src/push/ports.ts";

/** A hibernating WebSocket as a gate's wire. Its note lives in the attachment, which outlasts the process's memory. */
export class SocketWire implements Wire {
  readonly #socket: WebSocket;
  readonly #pingedAt: () => number | undefined;
  readonly origin: string | undefined;
  #heardAt: number;

  /** @param pingedAt when the platform answered a ping of it last */
  constructor(socket: WebSocket, now: number, pingedAt: () => number | undefined, origin: string | undefined) {
    this.#socket = socket;
    this.#heardAt = now;
    this.#pingedAt = pingedAt;
    this.origin = origin;
  }

  send(text: string): void {
    try {
      this.#socket.send(text);
    } catch {
      // It is closed: its end is told by itself.
    }
  }

  close(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // It is closed already.
    }
  }

  note(note: WireNote): void {
    this.#socket.serializeAttachment(note);
  }

  heard(now: number): void {
    this.#heardAt = now;
  }

  get heardAt(): number {
    return Math.max(this.#heardAt, this.#pingedAt() ?? 0);
  }
}
