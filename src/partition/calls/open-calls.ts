import { type Entry, rowBytes } from "./call-entry.ts";

/** The calls of a partition that have not ended, by object and call id, and how much they take. */
export class OpenCalls {
  readonly #entries = new Map<string, Entry>();
  /** Those that nobody drives: parked, or of a type or method that is not served. */
  readonly #aside = new Map<string, { readonly position: number; readonly bytes: number }>();
  #bytes = 0;

  /** Calls that are driven. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes that all of them take in the table, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Whether this process still drives the call. */
  has(entry: Entry): boolean {
    return this.#entries.get(entry.key) === entry;
  }

  all(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** Those without an outcome, of objects at these positions. */
  pending(at: (position: number) => boolean): Entry[] {
    return [...this.all()].filter(({ state, activation }) => state.status === "pending" && at(activation.position));
  }

  add(entry: Entry): void {
    this.return(entry.key);
    this.#entries.set(entry.key, entry);
    this.#bytes += rowBytes({ bytes: entry.requestBytes });
  }

  delete(entry: Entry): void {
    if (!this.has(entry)) return;
    this.#entries.delete(entry.key);
    this.#bytes -= rowBytes({ bytes: entry.requestBytes });
  }

  /** Counts a call that nobody drives. */
  setAside(key: string, position: number, bytes: number): void {
    this.return(key);
    this.#aside.set(key, { position, bytes });
    this.#bytes += bytes;
  }

  isAside(key: string): boolean {
    return this.#aside.has(key);
  }

  /** Counts it no longer. */
  return(key: string): void {
    this.#bytes -= this.#aside.get(key)?.bytes ?? 0;
    this.#aside.delete(key);
  }

  /** Counts no longer those at positions that have left. */
  leave(left: (position: number) => boolean): void {
    for (const [key, { position }] of this.#aside) if (left(position)) this.return(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#aside.clear();
    this.#bytes = 0;
  }
}

/** Its turn runs, or its acceptance is on its way into the table. */
export function underWay(entry: Entry): boolean {
  return entry.driving || (entry.stored.seq > 0 && !entry.accepted);
}
