import { SELF } from "cloudflare:test";
import { expect } from "vitest";

export type Frame = Readonly<Record<string, unknown>>;

/** A client with a real WebSocket. */
export class Client {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly #waiting: (() => void)[] = [];
  closed: number | undefined;
  #seen = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      const frames: Frame | Frame[] = data === "pong" ? { kind: "pong" } : JSON.parse(String(data));
      for (const frame of Array.isArray(frames) ? frames : [frames]) {
        // What was not acknowledged may come again.
        const n = frame["kind"] === "message" ? Number(frame["n"]) : Number.POSITIVE_INFINITY;
        if (n > this.#seen) this.frames.push(frame);
        if (Number.isFinite(n)) this.#seen = Math.max(this.#seen, n);
      }
      for (const wake of this.#waiting.splice(0)) wake();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  static async open({ client = "", token = "" } = {}): Promise<Client> {
    const protocols = token === "" ? "edgeverse.v1" : `edgeverse.v1, bearer.${token}`;
    const answer = await SELF.fetch(`http://host/api/v1/events/socket?client=${client}`, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": protocols },
    });
    expect(answer.status).toBe(101);
    expect(answer.headers.get("sec-websocket-protocol")).toBe("edgeverse.v1");
    return new Client(answer.webSocket as WebSocket);
  }

  say(frame: object | string): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  async next(kind: string): Promise<Frame> {
    for (;;) {
      const index = this.frames.findIndex((frame) => frame["kind"] === kind);
      if (index >= 0) return this.frames.splice(index, 1)[0] as Frame;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async end(): Promise<number> {
    while (this.closed === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.closed;
  }
}
