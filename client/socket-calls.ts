import { abortable } from "./backoff.ts";
import type { Call } from "./call.ts";
import { fromWire, lost } from "./client-error.ts";
import { fits, type GateFrame } from "./frames.ts";
import type { Link, LinkUser } from "./link.ts";

interface Open {
  readonly call: Call;
  readonly resolve: (response: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Numbers of what this client asks for over its connection. */
export class Numbers {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}

/** Calls of one connection that the gate lets be open at a time, and some room. */
const OPEN = 200;

/** Calls over the connection: those of one tick are one message. */
export class SocketCalls implements LinkUser {
  readonly #link: Link;
  readonly #numbers: Numbers;
  readonly #open = new Map<number, Open>();

  constructor(link: Link, numbers: Numbers) {
    this.#link = link;
    this.#numbers = numbers;
    link.use(this);
  }

  /** @returns undefined when it must go another way: there is no connection, too much is under way, or it is too large */
  call(call: Call, signal: AbortSignal): Promise<unknown> | undefined {
    if (this.#link.status !== "open" || this.#open.size >= OPEN) return undefined;
    const number = this.#numbers.next();
    const { id: object, repeat: _, ...members } = call;
    const text = JSON.stringify({ kind: "call", id: number, object, ...members });
    if (!fits(text)) return undefined;
    return abortable(signal, (resolve, reject) => {
      this.#open.set(number, { call, resolve, reject });
      this.#link.sendText(text);
      return () => {
        this.#open.delete(number);
        this.#link.send({ kind: "cancel", id: number });
      };
    });
  }

  frame(frame: GateFrame): void {
    if (frame.kind !== "result") return;
    const open = this.#open.get(frame.id);
    if (open === undefined) return;
    this.#open.delete(frame.id);
    if (frame.error === undefined) open.resolve(frame.response ?? null);
    else open.reject(fromWire({ ...frame.error, callId: open.call.callId }));
  }

  lost(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { call, reject } of open) reject(lost(call));
  }

  refused(): void {
    this.lost();
  }
}
