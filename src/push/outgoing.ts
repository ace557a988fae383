import type { SqlStorage } from "../platform/ports.ts";
import type { Wire } from "./ports.ts";

/** Frames and characters of a message, unless one frame has more. */
const MOST = { frames: 256, characters: 64 * 1024 } as const;

/** What is on its way to one client. */
interface Leaving {
  frames: string[];
  close: { readonly code: number; readonly reason: string } | undefined;
}

/**
 * What is on its way to clients: it leaves in order, once everything that was written before is durable. Frames of a client that
 * leave together are one message.
 */
export class Outgoing {
  readonly #storage: SqlStorage;
  readonly #onLost: (error: unknown) => void;
  #waiting = new Map<Wire, Leaving>();
  #flushing = false;

  /** @param onLost told when what was written is lost: nothing leaves then */
  constructor(storage: SqlStorage, onLost: (error: unknown) => void) {
    this.#storage = storage;
    this.#onLost = onLost;
  }

  send(wire: Wire, text: string): void {
    const leaving = this.#for(wire);
    if (leaving.close === undefined) leaving.frames.push(text);
  }

  /** Closes the connection after what was sent before. */
  close(wire: Wire, code: number, reason: string): void {
    this.#for(wire).close ??= { code, reason };
  }

  #for(wire: Wire): Leaving {
    let leaving = this.#waiting.get(wire);
    if (leaving === undefined) {
      leaving = { frames: [], close: undefined };
      this.#waiting.set(wire, leaving);
      if (!this.#flushing) void this.#flush();
    }
    return leaving;
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    try {
      while (this.#waiting.size > 0) {
        // What else this event sends leaves with it, and may have been written meanwhile.
        await this.#storage.barrier();
        const waiting = this.#waiting;
        this.#waiting = new Map();
        await this.#storage.barrier();
        for (const [wire, { frames, close }] of waiting) {
          sendAll(wire, frames);
          if (close !== undefined) wire.close(close.code, close.reason);
        }
      }
    } catch (error) {
      this.#waiting.clear();
      this.#onLost(error);
    }
    this.#flushing = false;
  }
}

function sendAll(wire: Wire, frames: readonly string[]): void {
  if (wire.isStream === true) {
    for (const frame of frames) wire.send(frame);
    return;
  }
  for (let from = 0; from < frames.length; ) {
    let characters = 0;
    let to = from;
    do characters += (frames[to++] as string).length;
    while (
      to < frames.length &&
      to - from < MOST.frames &&
      characters + (frames[to] as string).length <= MOST.characters
    );
    wire.send(to - from === 1 ? (frames[from] as string) : `[${frames.slice(from, to).join()}]`);
    from = to;
  }
}
