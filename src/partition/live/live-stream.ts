import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { Gates } from "../../push/ports.ts";
import { retryDelay } from "../../reliable/call-state.ts";
import type { LiveChange } from "../../router/live-views.ts";

interface Parts {
  readonly gates: Gates;
  readonly gate: string;
  /** This partition's name. */
  readonly name: string;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  /** What the gate is to be told of an object now, and what to do once it has been; undefined when it does not watch it. */
  readonly change: (key: string) => Telling | undefined;
  /** The gate watches the object no more. */
  readonly unwanted: (key: string) => void;
  /** Nothing is on its way any more. */
  readonly onEmpty: () => void;
}

export interface Telling {
  readonly change: LiveChange;
  readonly told: () => void;
}

/** Characters that go to a gate at once, unless one object has more; and objects. */
const BATCH = { characters: 1024 * 1024, objects: 500 };

/**
 * What one gate is to be told of objects that have changed: one message at a time. What changes meanwhile waits as a name, and
 * goes as it is then: however slow a gate is, there is one entry for each object and no queue of states.
 */
export class LiveStream {
  readonly #parts: Parts;
  readonly #waiting = new Set<string>();
  #sending = false;
  #failures = 0;
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  add(key: string): void {
    this.#waiting.add(key);
    if (this.#sending || this.#ended) return;
    this.#sending = true;
    // What the same commit has changed goes along.
    queueMicrotask(() => void this.#send());
  }

  stop(): void {
    this.#ended = true;
  }

  async #send(): Promise<void> {
    const { clock, onEmpty } = this.#parts;
    while (this.#waiting.size > 0 && !this.#ended) {
      const keys: string[] = [];
      try {
        await this.#tell(keys);
        this.#failures = 0;
      } catch {
        if (this.#ended) return;
        for (const key of keys) this.#waiting.add(key);
        this.#failures++;
        clock.after(retryDelay(this.#failures), () => void this.#send());
        return;
      }
    }
    this.#sending = false;
    if (!this.#ended) onEmpty();
  }

  /** @param keys gets what it takes on */
  async #tell(keys: string[]): Promise<void> {
    const { gates, gate, name, storage, change, unwanted } = this.#parts;
    const tellings: Telling[] = [];
    let characters = 0;
    for (const key of this.#waiting) {
      if (characters >= BATCH.characters || keys.length === BATCH.objects) break;
      this.#waiting.delete(key);
      const telling = change(key);
      if (telling === undefined) continue;
      keys.push(key);
      tellings.push(telling);
      characters += telling.change.kind === "state" ? telling.change.state.length : 0;
    }
    if (tellings.length === 0) return;
    await storage.barrier();
    if (this.#ended) return;
    const receipt = await gates.live(
      gate,
      name,
      tellings.map((telling) => telling.change),
    );
    const dropped = new Set(receipt.unwanted);
    for (const [index, { told }] of tellings.entries()) {
      if (dropped.has(index)) unwanted(keys[index] as string);
      else told();
    }
  }
}
