import type { SqlStorage } from "../platform/ports.ts";
import type { Wire } from "./ports.ts";

/** What is on its way to clients: it leaves in order, once everything that was written before is durable. */
export class Outgoing {
  readonly #storage: SqlStorage;
  readonly #onLost: (error: unknown) => void;
  #waiting: { readonly wire: Wire; readonly leave: (wire: Wire) => void }[] = [];
  #flushing = false;

  /** @param onLost told when what was written is lost: nothing leaves then */
  constructor(storage: SqlStorage, onLost: (error: unknown) => void) {
    this.#storage = storage;
    this.#onLost = onLost;
  }

  send(wire: Wire, text: string): void {
    this.#add(wire, (open) => open.send(text));
  }

  /** Closes the connection after what was sent before. */
  close(wire: Wire, code: number, reason: string): void {
    this.#add(wire, (open) => open.close(code, reason));
  }

  #add(wire: Wire, leave: (wire: Wire) => void): void {
    this.#waiting.push({ wire, leave });
    if (this.#flushing) return;
    this.#flushing = true;
    void this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const leaving = this.#waiting;
        this.#waiting = [];
        await this.#storage.barrier();
        for (const { wire, leave } of leaving) leave(wire);
      }
    } catch (error) {
      this.#waiting = [];
      this.#onLost(error);
    }
    this.#flushing = false;
  }
}
