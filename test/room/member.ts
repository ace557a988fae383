import { Hearing } from "./hearing.ts";
import { RawSocket } from "./raw-socket.ts";
import type { Record } from "./record.ts";

type Frame = { readonly kind: string } & Readonly<{ [name: string]: unknown }>;

export interface CallOutcome {
  readonly response?: { readonly number: number };
  readonly error?: { readonly code: string; readonly retryable: boolean };
}

export const TOPIC = "room/main";
/** Ms after which a client that can't connect tries again, at most. */
const AGAIN = 1_500;

/** A client of the room by the protocol as docs/clients.md has it. It comes back whenever it is cut. */
export class Member {
  readonly hearing: Hearing;
  readonly #url: string;
  readonly #record: Record;
  readonly #random: () => number;
  readonly #calls = new Map<number, (outcome: CallOutcome | undefined) => void>();
  #socket: RawSocket | undefined;
  #session: string | undefined;
  client: string | undefined;
  #seen = 0;
  #acknowledging = false;
  #listening = false;
  #stopped = false;
  #requests = 0;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, name: string, record: Record, random: () => number) {
    this.#url = url;
    this.#record = record;
    this.#random = random;
    this.hearing = new Hearing(name, record);
  }

  get isListening(): boolean {
    return this.#listening;
  }

  connect(): void {
    const where = new URL("/api/v1/events/socket", this.#url);
    if (this.client !== undefined) where.searchParams.set("client", this.client);
    const socket = new RawSocket(where, {
      opened: () => {
        const session = this.#session === undefined ? {} : { session: this.#session, seen: this.#seen };
        socket.send(JSON.stringify({ kind: "hello", ...session, topics: [TOPIC] }));
      },
      message: (text) => {
        if (socket !== this.#socket) return;
        const frames = JSON.parse(text) as Frame | Frame[];
        for (const frame of Array.isArray(frames) ? frames : [frames]) this.#take(socket, frame);
      },
      ended: (code, refusal) => {
        this.#record.end(refusal === undefined ? code : codeOf(refusal));
        if (socket === this.#socket) this.#lost();
      },
    });
    this.#socket = socket;
  }

  /** The network breaks. It comes back by itself. */
  cut(): void {
    this.#socket?.cut();
  }

  /** A second connection takes over while the first is still there. */
  moveOver(): void {
    this.#fail();
    this.connect();
  }

  /** Takes nothing of what is sent to it for a while. */
  sleep(ms: number): void {
    const socket = this.#socket;
    socket?.pause();
    setTimeout(() => socket?.resume(), ms);
  }

  /** Says something over the connection; undefined when that is lost before there is an answer. */
  call(request: object, callId?: string): Promise<CallOutcome | undefined> {
    const socket = this.#socket;
    if (socket === undefined || !this.#listening) return Promise.resolve(undefined);
    const id = this.#requests++;
    return new Promise((resolve) => {
      this.#calls.set(id, resolve);
      const call = { kind: "call", id, type: "Room", object: "main", method: "say", request };
      socket.send(JSON.stringify(callId === undefined ? call : { ...call, callId }));
    });
  }

  leave(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
    if (this.#listening) this.#socket?.send('{"kind":"leave"}');
    else this.#socket?.cut();
  }

  #lost(): void {
    this.#socket = undefined;
    this.#fail();
    if (!this.#stopped) this.#again = setTimeout(() => this.connect(), this.#random() * AGAIN);
  }

  #fail(): void {
    this.#listening = false;
    for (const answer of this.#calls.values()) answer(undefined);
    this.#calls.clear();
  }

  #take(socket: RawSocket, frame: Frame): void {
    switch (frame.kind) {
      case "welcome":
        if (this.#session !== undefined && frame["resumed"] !== true) this.hearing.gap("a new session");
        this.#session = frame["session"] as string;
        this.client = frame["client"] as string;
        this.#seen = frame["seen"] as number;
        break;
      case "subscribed":
        this.#listening = true;
        break;
      case "check":
        socket.send(JSON.stringify(frame));
        break;
      case "message":
      case "gap":
        this.#message(socket, frame["n"] as number, frame);
        break;
      case "result":
        this.#calls.get(frame["id"] as number)?.(frame as CallOutcome);
        this.#calls.delete(frame["id"] as number);
        break;
      default:
        this.#record.break(`a member was sent ${JSON.stringify(frame).slice(0, 300)}`);
    }
  }

  #message(socket: RawSocket, n: number, frame: Frame): void {
    if (n <= this.#seen) {
      this.#record.again++;
      return;
    }
    this.#seen = n;
    if (frame.kind === "gap") this.hearing.gap();
    else this.hearing.take(frame["data"]);
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    // One for many, and some are cut before.
    setTimeout(() => {
      this.#acknowledging = false;
      if (socket === this.#socket) socket.send(JSON.stringify({ kind: "ack", seen: this.#seen }));
    }, this.#random() * 200);
  }
}

function codeOf(refusal: string): string {
  try {
    return (JSON.parse(refusal) as { code: string }).code;
  } catch {
    return refusal.slice(0, 100);
  }
}
