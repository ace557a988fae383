import { vi } from "vitest";

type Frame = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** The host's end of one connection. */
export class FakeSocket extends EventTarget {
  /** All that were opened, the newest last. */
  static all: FakeSocket[] = [];
  readonly url: string;
  readonly protocols: readonly string[];
  /** What the client has sent: each message with its frames. */
  readonly messages: Frame[][] = [];
  pings = 0;
  closed = false;

  constructor(url: string, protocols: readonly string[]) {
    super();
    this.url = url;
    this.protocols = protocols;
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.all.at(-1) as FakeSocket;
  }

  static install(): void {
    FakeSocket.all = [];
    vi.stubGlobal("WebSocket", FakeSocket);
  }

  get frames(): Frame[] {
    return this.messages.flat();
  }

  /** Frames of one kind that the client has sent. */
  sent(kind: string): Frame[] {
    return this.frames.filter((frame) => frame.kind === kind);
  }

  send(text: string): void {
    if (text === "ping") this.pings += 1;
    else this.messages.push([JSON.parse(text)].flat());
  }

  close(): void {
    this.closed = true;
  }

  /** The host sends frames in one message. */
  say(...frames: readonly Record<string, unknown>[]): void {
    const data = JSON.stringify(frames.length === 1 ? frames[0] : frames);
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }

  pong(): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data: "pong" }));
  }

  /** The connection is accepted, and the client welcomed. */
  welcome(more: Readonly<Record<string, unknown>> = {}): void {
    this.dispatchEvent(new Event("open"));
    const welcome = { client: "c1", session: "c1.secret", resumed: false, seen: 0, topics: [], ping: 30_000 };
    this.say({ kind: "welcome", ...welcome, ...more });
  }

  /** The connection ends. */
  end(code: number): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}
