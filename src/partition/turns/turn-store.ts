import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { compareUtf8 } from "../../identity/utf8-order.ts";
import { exceedsBytes, jsonText, NotJsonError } from "../../object/json.ts";
import type { ObjectStore, StorePage, StorePageRange, StoreRange, StoreRow } from "../../object/store.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import type { UnsavedObject } from "../storage/unsaved-object.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { cursorAfter, isInRange, type KeyRange, keyRange } from "./store-range.ts";

const MAX_KEY_BYTES = 512;
/** Bytes of new rows one turn may hold before it commits. */
const MAX_TURN_BYTES = 8 * 1024 * 1024;

/** The object whose rows a store is of, and what of them the database has not seen. */
export type RowOwner = Pick<UnsavedObject, "position" | "id" | "definition" | "wiped" | "rows">;

interface StoreOptions {
  /** Bytes of JSON of one value. */
  readonly maxValue: number;
  readonly memory: Pick<MemoryBudget, "hold" | "free">;
  /** Throws in a readonly method. */
  checkMutable(): void;
  /** Sends finished turns' rows to the database. */
  flush(): void;
  /** The store of the turn this one runs in. */
  readonly under?: (() => TurnStore) | undefined;
}

/** `this.store` of one turn: the turn's writes over those of finished turns over the database. */
export class TurnStore implements ObjectStore {
  readonly #activation: RowOwner;
  readonly #storage: SqlStorage;
  readonly #options: StoreOptions;
  #writes = new Map<string, string | null>();
  #bytes = 0;

  constructor(activation: RowOwner, storage: SqlStorage, options: StoreOptions) {
    this.#activation = activation;
    this.#storage = storage;
    this.#options = options;
  }

  get writes(): ReadonlyMap<string, string | null> {
    return this.#writes;
  }

  /**
   * Takes over all that a successful inner turn wrote, or throws and takes nothing.
   * @throws EdgeverseError `PAYLOAD_TOO_LARGE`
   */
  absorb(writes: ReadonlyMap<string, string | null>): void {
    let bytes = this.#bytes;
    for (const [key, text] of writes) bytes += sizeOf(key, text) - sizeOf(key, this.#writes.get(key));
    this.#grow(bytes);
    for (const [key, text] of writes) this.#writes.set(key, text);
  }

  /** Its turn has ended. */
  close(): void {
    this.#options.memory.free(this.#bytes);
    this.#bytes = 0;
  }

  get<Value>(key: string): Value | undefined {
    const text = this.#text(checkKey(key));
    return text === null ? undefined : (JSON.parse(text) as Value);
  }

  put(key: string, value: unknown): void {
    this.#options.checkMutable();
    const text = encodeValue(checkKey(key), value, this.#options.maxValue);
    this.#write(key, text);
  }

  delete(key: string): boolean {
    this.#options.checkMutable();
    const there = this.#text(checkKey(key)) !== null;
    this.#write(key, null);
    return there;
  }

  list<Value>(range: StoreRange = {}): StoreRow<Value>[] {
    return this.#rows<Value>(keyRange(range));
  }

  page<Value>(range: StorePageRange = {}): StorePage<Value> {
    const keys = keyRange(range);
    const rows = this.#rows<Value>({ ...keys, limit: keys.limit + 1 });
    if (rows.length <= keys.limit) return { rows };
    rows.pop();
    return { rows, cursor: cursorAfter((rows.at(-1) as StoreRow).key, keys.reverse) };
  }

  #rows<Value>(range: KeyRange): StoreRow<Value>[] {
    // Finished turns' rows go to the database first, so that only this turn's writes need merging.
    if (this.#activation.rows !== undefined || this.#activation.wiped) this.#options.flush();
    const mine = [...this.#all()].filter(([key]) => isInRange(key, range));
    const merged = new Map<string, string | null>(this.#stored(range, range.limit + mine.length));
    for (const [key, text] of mine) merged.set(key, text);
    return [...merged]
      .filter((row): row is [string, string] => row[1] !== null)
      .sort(([left], [right]) => (range.reverse ? compareUtf8(right, left) : compareUtf8(left, right)))
      .slice(0, range.limit)
      .map(([key, text]) => ({ key, value: JSON.parse(text) as Value }));
  }

  /** Own writes over those of the turn this one runs in. */
  #all(): Map<string, string | null> {
    const { under } = this.#options;
    return under === undefined ? this.#writes : new Map([...under().#all(), ...this.#writes]);
  }

  #write(key: string, text: string | null): void {
    const bytes = this.#bytes + sizeOf(key, text) - sizeOf(key, this.#writes.get(key));
    this.#grow(bytes);
    this.#writes.set(key, text);
  }

  #grow(bytes: number): void {
    checkTurnBytes(bytes);
    this.#options.memory.hold(bytes - this.#bytes);
    this.#bytes = bytes;
  }

  #stored({ lower, inclusive, upper, reverse }: KeyRange, limit: number): [string, string][] {
    const { position, definition, id } = this.#activation;
    const below = upper === null ? "" : "AND key < ?";
    const rows = this.#storage.query<{ key: string; value: string }>(
      `SELECT key, value FROM rows WHERE position = ? AND type = ? AND id = ? AND key ${inclusive ? ">=" : ">"} ? ${below}
       ORDER BY key ${reverse ? "DESC" : "ASC"} LIMIT ?`,
      position,
      definition.type,
      id,
      lower,
      ...(upper === null ? [] : [upper]),
      limit,
    );
    return rows.map((row) => [row.key, row.value]);
  }

  #text(key: string): string | null {
    const own = this.#writes.get(key);
    if (own !== undefined) return own;
    if (this.#options.under !== undefined) return this.#options.under().#text(key);
    const finished = this.#activation.rows?.get(key);
    if (finished !== undefined) return finished;
    if (this.#activation.wiped) return null;
    const rows = this.#storage.query<{ value: string }>(
      "SELECT value FROM rows WHERE position = ? AND type = ? AND id = ? AND key = ?",
      this.#activation.position,
      this.#activation.definition.type,
      this.#activation.id,
      key,
    );
    return rows[0]?.value ?? null;
  }
}

function sizeOf(key: string, value: string | null | undefined): number {
  return value === undefined ? 0 : key.length + (value?.length ?? 0);
}

function checkTurnBytes(bytes: number): void {
  if (bytes <= MAX_TURN_BYTES) return;
  throw new EdgeverseError("PAYLOAD_TOO_LARGE", `Cannot store more than ${MAX_TURN_BYTES} bytes in one turn`);
}

function checkKey(key: string): string {
  if (typeof key !== "string" || key.length === 0 || exceedsBytes(key, MAX_KEY_BYTES)) {
    throw new EdgeverseError("INVALID_ARGUMENT", `Cannot use a store key: it must be 1 to ${MAX_KEY_BYTES} bytes long`);
  }
  if (key.includes("\0") || !key.isWellFormed()) {
    throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use a store key that holds NUL or half a surrogate pair");
  }
  return key;
}

function encodeValue(key: string, value: unknown, limit: number): string {
  let text: string;
  try {
    text = jsonText(value);
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new EdgeverseError("INVALID_ARGUMENT", `Cannot store "${key}": ${error.message}`);
  }
  if (!exceedsBytes(text, limit)) return text;
  throw new EdgeverseError("PAYLOAD_TOO_LARGE", `Cannot store "${key}": its value is over ${limit} bytes of JSON`);
}
