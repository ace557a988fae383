import { backoff } from "./backoff.ts";
import { ClientError, fromWire } from "./client-error.ts";
import { type ClientFrame, type GateFrame, messagesOf, PROTOCOL, readFrames, type Welcome } from "./frames.ts";
import { onOnline } from "./online.ts";
import { Timers } from "./timers.ts";
import type { Tokens } from "./tokens.ts";

/** `closed`: nobody has asked for a connection, or `close` was called, or the host refuses this client. */
export type LinkStatus = "closed" | "connecting" | "open";

/** Those who use the link. */
export interface LinkUser {
  /** Topics to ask for with the hello. */
  topics?(): readonly string[];
  /** The connection is there. @param fresh whether something may have been missed since the last one */
  opened?(welcome: Welcome, fresh: boolean): void;
  frame?(frame: GateFrame): void;
  /** The connection is gone; another one may come. */
  lost?(): void;
  /** There will be none. @param error why; undefined when it was closed here */
  refused?(error: ClientError | undefined): void;
}

interface Parts {
  /** The URL of the host's sockets. */
  readonly url: string;
  readonly tokens: Tokens;
  readonly onStatus: (status: LinkStatus) => void;
}

/** The longest pause before one connects again, in ms. */
const LONGEST_PAUSE = 15_000;
/** Ms that a gate may take to say anything: a welcome, or a pong. Beyond, the connection is taken for dead. */
const SILENCE = 10_000;
/** Messages are acknowledged together: those of so many ms, or so many of them. A gate has 1,000 on their way at most. */
const ACK = { within: 50, messages: 100 } as const;
/** How connections end: what the gate means by it. */
const CLOSED = { left: 1000, refused: 1008, token: 4401 } as const;

/** A connection to a gate that comes back by itself, with its session. */
export class Link {
  readonly #parts: Parts;
  readonly #users: LinkUser[] = [];
  status: LinkStatus = "closed";
  #socket: WebSocket | undefined;
  #session: string | undefined;
  #client: string | undefined;
  #seen = 0;
  /** Messages that have come and are not acknowledged. */
  #owed = 0;
  /** Connections that have failed since the last one that was open. */
  #failures = 0;
  #token: string | undefined;
  #error: ClientError | undefined;
  #frames: string[] = [];
  #stopHearing: (() => void) | undefined;
  readonly #timers = new Timers<"again" | "ping" | "silence" | "token" | "ack">();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  use(user: LinkUser): void {
    this.#users.push(user);
  }

  /** This client's id, once it was connected. */
  get client(): string | undefined {
    return this.#client;
  }

  /** Connects, if that has not begun already. */
  open(): void {
    if (this.status !== "closed") return;
    this.#become("connecting");
    this.#stopHearing = onOnline(() => this.#hurry());
    void this.#connect();
  }

  /** Ends the session, and connects no more until `open`. */
  close(): void {
    if (this.status === "open") this.#socket?.send('{"kind":"leave"}');
    [this.#session, this.#client] = [undefined, undefined];
    this.#end(undefined);
  }

  /** Sends a frame with others of this tick. Without a connection it is dropped: `opened` says when to send what is due. */
  send(frame: ClientFrame): void {
    if (this.status === "open") this.sendText(JSON.stringify(frame));
  }

  sendText(frame: string): void {
    if (this.#frames.push(frame) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const frames = this.#frames;
    this.#frames = [];
    if (this.status === "open") for (const message of messagesOf(frames)) this.#socket?.send(message);
  }

  async #connect(): Promise<void> {
    const { url, tokens } = this.#parts;
    try {
      this.#token = await tokens.get();
    } catch {
      return this.#again();
    }
    if (this.status === "closed") return;
    const where = this.#client === undefined ? url : `${url}?client=${encodeURIComponent(this.#client)}`;
    // A page can't set headers of a WebSocket.
    const socket = new WebSocket(where, this.#token === undefined ? [PROTOCOL] : [PROTOCOL, `bearer.${this.#token}`]);
    this.#socket = socket;
    this.#expect();
    const isCurrent = () => this.#socket === socket;
    socket.addEventListener("open", () => {
      if (!isCurrent()) return;
      const session = this.#session;
      const topics = [...new Set(this.#users.flatMap((user) => user.topics?.() ?? []))];
      socket.send(JSON.stringify({ kind: "hello", ...(session && { session, seen: this.#seen }), topics }));
      this.#expect();
    });
    socket.addEventListener("message", ({ data }) => {
      if (!isCurrent()) return;
      this.#timers.stop("silence");
      if (data !== "pong") for (const frame of readFrames(data)) if (isCurrent()) this.#take(frame);
    });
    const onClose = ({ code }: { code?: number }) => {
      if (isCurrent()) this.#closed(code ?? 1006);
    };
    socket.addEventListener("close", onClose);
    socket.addEventListener("error", () => onClose({}));
  }

  #take(frame: GateFrame): void {
    if (frame.kind === "welcome") this.#welcome(frame);
    if (frame.kind === "check") this.send(frame);
    // The host could not tell whether the token is good: it may soon.
    if (frame.kind === "renewed" && frame.error) this.#renewLater(backoff(4, LONGEST_PAUSE, frame.error.retryAfter));
    if (frame.kind === "error" && frame.topic === undefined) this.#error = fromWire(frame.error);
    if (frame.kind === "message" || frame.kind === "gap") {
      if (frame.n <= this.#seen) return; // What was not acknowledged may come again.
      this.#seen = frame.n;
      if (++this.#owed === ACK.messages) this.#acknowledge();
      else if (!this.#timers.has("ack")) this.#timers.set("ack", ACK.within, () => this.#acknowledge());
    }
    this.#tell((user) => user.frame?.(frame));
  }

  #welcome(welcome: Welcome): void {
    const fresh = this.#session !== undefined && !welcome.resumed;
    this.#client = welcome.client;
    this.#session = welcome.session;
    this.#seen = welcome.seen;
    this.#owed = 0;
    this.#failures = 0;
    this.#error = undefined;
    this.#ping(welcome.ping);
    this.#renewLater();
    this.#become("open");
    this.#tell((user) => user.opened?.(welcome, fresh));
  }

  #acknowledge(): void {
    this.#timers.stop("ack");
    this.#owed = 0;
    this.send({ kind: "ack", seen: this.#seen });
  }

  #ping(every: number): void {
    this.#timers.set("ping", every, () => {
      this.#socket?.send("ping");
      this.#expect();
      this.#ping(every);
    });
  }

  /** Something must come now: a connection can be dead for long before anybody says so. */
  #expect(): void {
    this.#timers.set("silence", SILENCE, () => this.#closed(1006));
  }

  #renewLater(ms = this.#parts.tokens.renewsIn): void {
    const { tokens } = this.#parts;
    // A timer of more than 24.8 days would ring at once.
    if (ms === undefined || ms > 2 ** 31 - 1) return;
    this.#timers.set("token", ms, async () => {
      const socket = this.#socket;
      const token = await tokens.get().catch(() => undefined);
      // Without another the gate closes the connection in the end.
      if (token === undefined || socket !== this.#socket) return;
      this.#token = token;
      this.send({ kind: "token", token });
      this.#renewLater();
    });
  }

  #closed(code: number): void {
    const wasOpen = this.status === "open";
    const error = this.#error;
    this.#drop();
    const refused = code === CLOSED.refused && error?.retryable === false && error.code !== "UNAUTHENTICATED";
    if (code === CLOSED.left || refused) {
      this.#end(error ?? new ClientError("UNAVAILABLE", "The connection was closed"));
      return;
    }
    this.#become("connecting");
    if (wasOpen) this.#tell((user) => user.lost?.());
    // A page is not told why a handshake fails: it may be the token.
    if ((!wasOpen || code === CLOSED.token) && this.#parts.tokens.canRenew)
      void this.#parts.tokens.renew(this.#token).catch(() => undefined);
    this.#again(error?.retryAfter);
  }

  #again(retryAfter?: number): void {
    // Others have lost their connection in the same moment.
    this.#timers.set("again", backoff(3 + this.#failures++, LONGEST_PAUSE, retryAfter), () => void this.#connect());
  }

  /** The network is back. */
  #hurry(): void {
    if (!this.#timers.has("again")) return;
    this.#failures = 0;
    this.#timers.stop("again");
    void this.#connect();
  }

  /** Lets go of the socket: what it says later counts for nothing. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#frames = [];
    this.#error = undefined;
    this.#timers.stopAll();
    socket?.close();
  }

  #end(error: ClientError | undefined): void {
    if (this.status === "closed") return;
    this.#drop();
    this.#stopHearing?.();
    this.#become("closed");
    this.#tell((user) => user.refused?.(error));
  }

  #become(status: LinkStatus): void {
    if (this.status === status) return;
    this.status = status;
    this.#parts.onStatus(status);
  }

  #tell(what: (user: LinkUser) => void): void {
    for (const user of this.#users) what(user);
  }
}
