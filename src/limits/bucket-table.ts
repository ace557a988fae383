/** Bytes that an entry of a map takes beside its key. */
const ENTRY = 100;
/** Share of the bytes that is left after a clearing: so there is none at every new key. */
const KEPT = 0.75;

/**
 * Buckets by key, each the time at which it is full again, in a bounded memory. One that is full is like one that is not there.
 * When the bytes run out the fullest go, as if they had filled up: each such key may take once more what its bucket lacked.
 */
export class BucketTable {
  readonly #full = new Map<string, number>();
  #most: number;
  #bytes = 0;

  /** @param bytes estimated, that keys and times may have together */
  constructor(bytes: number) {
    this.#most = bytes;
  }

  get size(): number {
    return this.#full.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Other bytes from now on: what is over them goes. */
  resize(bytes: number, now: number): void {
    this.#most = bytes;
    if (this.#bytes > bytes) this.#clear(now);
  }

  /** When the bucket is full again, as `set` had it; long ago for one that is. */
  get(key: string): number {
    return this.#full.get(key) ?? Number.NEGATIVE_INFINITY;
  }

  set(key: string, full: number, now: number): void {
    if (full <= now) {
      this.delete(key);
      return;
    }
    if (!this.#full.has(key)) {
      this.#bytes += ENTRY + key.length;
      if (this.#bytes > this.#most) this.#clear(now);
    }
    this.#full.set(key, full);
  }

  delete(key: string): void {
    if (this.#full.delete(key)) this.#bytes -= ENTRY + key.length;
  }

  #clear(now: number): void {
    for (const [key, full] of this.#full) if (full <= now) this.delete(key);
    const enough = this.#most * KEPT;
    while (this.#bytes > enough && this.#full.size > 0) {
      const inOrder = Float64Array.from(this.#full.values()).sort();
      const last = inOrder[Math.floor(inOrder.length / 4)] as number;
      for (const [key, full] of this.#full) {
        if (this.#bytes <= enough) return;
        if (full <= last) this.delete(key);
      }
    }
  }
}
