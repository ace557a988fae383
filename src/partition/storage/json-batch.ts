/** Bytes of UTF-8 of one list, unless one row has more: well below the platform's 2 MB a value. */
const MOST = 1024 * 1024;

/** Rows as the text of JSON lists, for `json_each`. */
export class JsonBatch {
  readonly #store: (rows: string) => void;
  #texts: string[] = [];
  #bytes = 0;

  constructor(store: (rows: string) => void) {
    this.#store = store;
  }

  add(row: readonly (string | number | null)[]): void {
    const text = JSON.stringify(row);
    // Three is the most that a UTF-16 unit can take.
    const bytes = text.length * 3;
    if (this.#bytes + bytes > MOST) this.flush();
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
