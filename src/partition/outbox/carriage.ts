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

/** Calls to objects of this partition that are under way at the same time. */
const LOCAL = 256;

/** Takes calls to where their objects are: to this partition without a message, else to another. Bounded both ways. */
export class Carriage {
  readonly #parts: Parts;
  readonly #destinations: Destinations;
  /** Calls that leave when one of this partition has been answered. */
  readonly #line: Waiting[] = [];
  #under = 0;

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
    this.#line.push(waiting);
    this.#next();
  }

  #next(): void {
    while (this.#under < LOCAL) {
      const waiting = this.#line.shift();
      if (waiting === undefined) return;
      void this.#here(waiting);
    }
  }

  async #here({ message, answered }: Waiting): Promise<void> {
    this.#under++;
    try {
      const made = message();
      if (made !== undefined) answered(await this.#parts.local(made));
    } catch (error) {
      // Its request can't be read now.
      answered(errorReply(error));
    } finally {
      this.#under--;
      this.#next();
    }
  }
}
