/** A selection of rows, in key order (by UTF-8 bytes). */
export interface StoreRange {
  /** Only keys that begin with this text. */
  readonly prefix?: string;
  /** The first key that may be returned. */
  readonly start?: string;
  /** Rows at most; default 1,000, at most 10,000. */
  readonly limit?: number;
}

export interface StoreRow<Value = unknown> {
  readonly key: string;
  readonly value: Value;
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
  list<Value = unknown>(range?: StoreRange): StoreRow<Value>[];
}
