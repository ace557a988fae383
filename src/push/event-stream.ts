import type { WireError } from "../errors/edgeverse-error.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Cancel, Clock } from "../platform/ports.ts";
import { CLOSE } from "./close-codes.ts";
import { eventId, LAST_ID } from "./event-ids.ts";
import { type ClientFrame, endFrame, numberOf, type Welcome } from "./frames.ts";
import type { Wire, WireNote } from "./ports.ts";

interface Parts {
  readonly clock: Clock;
  /** From which client it comes. */
  readonly origin?: string | undefined;
  /** Ms that the client is to wait before it comes back. */
  readonly retry: number;
  /** Says a frame to the gate in place of the client, which can't. */
  readonly say: (frame: ClientFrame) => void;
  /** The client is gone. */
  readonly gone: () => void;
}

/** Ms between two signs of life. */
export const ALIVE_EVERY = 25_000;
/** Ms in which a client may take the rest of a stream that is over. */
const REST_WITHIN = 10_000;
/**
 * How much is taken before the gate is told, and after how many ms it is told of less. It is far less than its window, whatever it
 * counts, else both would wait.
 */
const TAKEN = { messages: 100, characters: 64 * 1024, within: 500 } as const;

/** Events that leave together. */
class Chunk {
  readonly events: string[] = [];
  messages = 0;
  characters = 0;
  /** The number of its last message. */
  last = 0;
  /** Questions of the gate whether its client reads. */
  readonly checks: number[] = [];
}

const encoder = new TextEncoder();

/**
 * A stream of server-sent events as a gate's wire ([PUSH12]). The gate counts on a client that answers, and this one can't: the
 * stream answers for it, when its bytes were *taken*, that is, the platform asked for more. So the gate's windows bound what
 * waits here. What was taken is not yet received: the session stays where it was, and goes on from the id that the client
 * comes back with.
 */
export class EventStream implements Wire {
  readonly isStream = true;
  readonly origin: string | undefined;
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when the gate has let the client in, or to why it has not. */
  readonly opened: Promise<WireError | undefined>;
  readonly #parts: Parts;
  #tell: (refused?: WireError) => void = () => undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #state: "open" | "closing" | "over" = "open";
  #timer: Cancel;
  /** The gate is told of what was taken when it is over. */
  #telling: Cancel | undefined;
  /** The reader waits for a chunk. */
  #hungry = false;
  #waiting = new Chunk();
  #leaving = new Chunk();
  /** Taken, and the gate does not know. */
  #untold = { messages: 0, characters: 0 };
  #taken = 0;
  #token = "";
  /** The newest number that the client gets as an id, and the one that the gate knows it may go on from. */
  #id = 0;
  #position = 0;
  #heardAt: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.origin = parts.origin;
    this.#heardAt = parts.clock.now();
    this.#timer = parts.clock.after(ALIVE_EVERY, () => this.#showLife());
    this.opened = new Promise((resolve) => {
      this.#tell = resolve;
    });
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#end();
          parts.gone();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** When its client took anything last: all that was there, if nothing waits. */
  get heardAt(): number {
    return this.#heardAt;
  }

  note(note: WireNote): void {
    if (note.kind === "open") this.#position = note.acked;
  }

  send(frame: string): void {
    if (this.#state !== "open") return;
    if (this.#token === "") {
      this.#begin(frame);
      return;
    }
    const n = numberOf(frame);
    const check = n === undefined && frame.startsWith('{"kind":"check"');
    if (check) this.#waiting.checks.push((JSON.parse(frame) as { n: number }).n);
    else this.#add(frame, n);
    this.#flush();
  }

  close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#tell(new EdgeverseError("UNAVAILABLE", `The gate closed the stream: ${reason}`).toWire());
    this.#waiting.events.push(
      `${code === CLOSE.replaced ? `id: ${LAST_ID}\n` : ""}data: ${endFrame(code, reason)}\n\n`,
    );
    this.#state = "closing";
    this.#timer();
    this.#telling?.();
    this.#timer = this.#parts.clock.after(REST_WITHIN, () => {
      this.#end();
      this.#controller?.error(new Error(reason));
    });
    this.#flush();
  }

  /** The first frame is the welcome, or says why there is none. */
  #begin(frame: string): void {
    const first = JSON.parse(frame) as ({ kind: "welcome" } & Welcome) | { kind: "error"; error: WireError };
    if (first.kind === "error") {
      this.#tell(first.error);
      return;
    }
    this.#token = first.session;
    this.#taken = first.seen;
    this.#waiting.events.push(`retry: ${this.#parts.retry}\n`);
    this.#add(frame, first.seen);
    this.#tell();
    this.#flush();
  }

  #add(frame: string, n: number | undefined): void {
    const chunk = this.#waiting;
    chunk.events.push(n === undefined ? `data: ${frame}\n\n` : `id: ${eventId(this.#token, n)}\ndata: ${frame}\n\n`);
    chunk.messages++;
    chunk.characters += frame.length;
    if (n === undefined) return;
    chunk.last = n;
    this.#id = n;
  }

  /** What was given before has been taken. */
  #pull(): void {
    const { checks, messages, characters, last } = this.#leaving;
    this.#leaving = new Chunk();
    this.#heardAt = this.#parts.clock.now();
    this.#hungry = true;
    this.#taken = Math.max(this.#taken, last);
    this.#untold.messages += messages;
    this.#untold.characters += characters;
    this.#flush();
    if (this.#state !== "open") return;
    for (const n of checks) this.#parts.say({ kind: "check", n });
    const { messages: untold, characters: large } = this.#untold;
    if (untold >= TAKEN.messages || large >= TAKEN.characters) this.#acknowledge();
    else if (untold > 0) this.#telling ??= this.#parts.clock.after(TAKEN.within, () => this.#acknowledge());
  }

  #flush(): void {
    const { events, checks } = this.#waiting;
    if (!this.#hungry || events.length === 0) {
      // With nothing before it to be taken, a question is answered at once.
      if (this.#hungry) for (const n of checks.splice(0)) this.#parts.say({ kind: "check", n });
      return;
    }
    this.#hungry = false;
    this.#leaving = this.#waiting;
    this.#waiting = new Chunk();
    this.#controller?.enqueue(encoder.encode(events.join("")));
    if (this.#state !== "closing") return;
    this.#end();
    this.#controller?.close();
  }

  #acknowledge(): void {
    this.#telling?.();
    this.#telling = undefined;
    this.#untold = { messages: 0, characters: 0 };
    this.#parts.say({ kind: "ack", seen: this.#taken });
  }

  /** Something now and then: proxies end silent connections, and a client that is gone is seen by it. */
  #showLife(): void {
    this.#timer = this.#parts.clock.after(ALIVE_EVERY, () => this.#showLife());
    if (this.#token === "") return;
    this.#acknowledge();
    if (this.#waiting.events.length > 0 || this.#state !== "open") return;
    // Where others' messages were counted, the client is to come back to no gap.
    const moved = this.#position > this.#id;
    if (moved) this.#id = this.#position;
    this.#waiting.events.push(moved ? `id: ${eventId(this.#token, this.#id)}\n\n` : ":\n\n");
    this.#flush();
  }

  #end(): void {
    this.#state = "over";
    this.#timer();
    this.#telling?.();
    this.#waiting = new Chunk();
  }
}
