import type { CallMessage, Reply } from "../../object/message.ts";
import type { ObjectRef } from "../../router/directory.ts";
import { errorReply } from "../turns/error-reply.ts";
import { type Carrier, Destinations, type Waiting } from "./destinations.ts";

interface Parts {
  readonly carrier: Carrier;
  /** Whether a call for the object is taken here: its shard is served, or waits at the gate. */
  readonly here: (object: ObjectRef) => boolean;
  /** Takes a call as if it came from outside. */
  readonly local: (message: CallMessage) => Promise<Reply>;
}

/** Calls to objects of this partition that are under way at the same time, and as many questions for outcomes. */
const LOCAL = 256;

/** Calls that leave when one of this partition has been answered. */
interface Line {
  readonly waiting: Waiting[];
  under: number;
}

/** Takes calls to where their objects are: to this partition without a message, else to another. Bounded both ways. */
export class Carriage {
  readonly #parts: Parts;
  readonly #destinations: Destinations;
  /** Questions may take their time, and must hold up no call. */
  readonly #lines: { readonly send: Line; readonly ask: Line } = {
    send: { waiting: [], under: 0 },
    ask: { waiting: [], under: 0 },
  };

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#destinations = new Destinations(parts.carrier);
  }

  /** @param way `ask` for calls whose answer may take its time */
  call(object: ObjectRef, way: "send" | "ask", waiting: Waiting): void {
    try {
      if (!this.#parts.here(object)) {
        this.#destinations[way](object, waiting);
        return;
      }
    } catch (error) {
      queueMicrotask(() => waiting.answered(errorReply(error)));
      return;
    }
    const line = this.#lines[way];
    line.waiting.push(waiting);
    this.#next(line);
  }

  #next(line: Line): void {
    while (line.under < LOCAL) {
      const waiting = line.waiting.shift();
      if (waiting === undefined) return;
      void this.#here(line, waiting);
    }
  }

  async #here(line: Line, { message, answered }: Waiting): Promise<void> {
    line.under++;
    try {
      const made = message();
      if (made !== undefined) answered(await this.#parts.local(made));
    } catch (error) {
      // Its request can't be read now.
      answered(errorReply(error));
    } finally {
      line.under--;
      this.#next(line);
    }
  }
}
