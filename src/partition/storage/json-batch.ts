/** Rows as the text of one JSON list, for `json_each`: at most `most` bytes of it at a time, unless one row has more. */
export class JsonBatch {
  readonly #most: number;
  readonly #store: (rows: string) => void;
  #texts: string[] = [];
  #bytes = 0;

  /** @param most bytes of UTF-8, counted as three for each character */
  constructor(most: number, store: (rows: string) => void) {
    this.#most = most;
    this.#store = store;
  }

  add(row: readonly (string | number | null)[]): void {
    const text = JSON.stringify(row);
    // Three is the most that a UTF-16 unit can take.
    const bytes = text.length * 3;
    if (this.#bytes + bytes > this.#most) this.flush();
    this.#texts.push(text);
    this.#bytes += bytes;
  }

  flush(): void {
    if (this.#texts.length === 0) return;
    const rows = `[${this.#texts.join(",")}]`;
    this.#texts = [];
    this.#bytes = 0;
    this.#store(rows);
  }
}
