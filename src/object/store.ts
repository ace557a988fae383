/** A selection of rows, in key order (by UTF-8 bytes). The members mean what they mean to a Durable Object's `storage.list`. */
export interface StoreRange {
  /** Only keys that begin with this text. */
  readonly prefix?: string | undefined;
  /** The least key that may be returned. */
  readonly start?: string | undefined;
  /** Only keys above this one. Not together with `start`. */
  readonly startAfter?: string | undefined;
  /** Only keys below this one. */
  readonly end?: string | undefined;
  /** From the greatest key down. The bounds stay what they are. */
  readonly reverse?: boolean | undefined;
  /** Rows at most; default 1,000, at most 10,000. */
  readonly limit?: number | undefined;
}

/** A selection of rows, and where in it to go on. */
export interface StorePageRange extends StoreRange {
  /** The cursor of the page before, of the same direction. */
  readonly cursor?: string | undefined;
}

export interface StoreRow<Value = unknown> {
  readonly key: string;
  readonly value: Value;
}

export interface StorePage<Value = unknown> {
  readonly rows: StoreRow<Value>[];
  /** Where the next page begins; absent on the last one. */
  readonly cursor?: string;
}

/**
 * `this.store`: an object's own ordered rows, for data too large for one state value. Reads see the turn's own writes;
 * writes commit with the turn or not at all. Keys are 1–512 bytes of UTF-8, values JSON.
 */
export interface ObjectStore {
  get<Value = unknown>(key: string): Value | undefined;
  /** @throws EdgeverseError `PAYLOAD_TOO_LARGE` for a value over the limit, `INVALID_ARGUMENT` for a bad key or value */
  put(key: string, value: unknown): void;
  /** Returns whether the row was there. */
  delete(key: string): boolean;
  /** @throws EdgeverseError `INVALID_ARGUMENT` for a bad range */
  list<Value = unknown>(range?: StoreRange): StoreRow<Value>[];
  /**
   * The same with a cursor, for a caller who reads on: rows that are written between two pages may be missing from both.
   * @throws EdgeverseError `INVALID_ARGUMENT` for a bad range or cursor
   */
  page<Value = unknown>(range?: StorePageRange): StorePage<Value>;
}
