import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { fnv1a32 } from "../identity/fnv1a.ts";

/** What objects are found by. Their order: null, false, true, numbers, texts by their UTF-8 bytes. */
export type IndexValue = string | number | boolean | null;

/** What an index has of an object: one value, several, or none. */
export type Indexed = IndexValue | readonly IndexValue[] | undefined;

/** Says by what an object of this state is found. A pure function. */
export type IndexFunction = (state: never) => Indexed;

/** A class as far as its indexes go. */
interface IndexedClass {
  readonly version: number;
  readonly index: Readonly<Record<string, IndexFunction>>;
}

/** The indexes that a class declares. */
export type IndexName<Class extends IndexedClass> = string extends keyof Class["index"]
  ? never
  : keyof Class["index"] & string;

/** The values that an index of a class may have. */
export type IndexValueOf<Class extends IndexedClass, Name extends IndexName<Class>> = ValueOf<
  ReturnType<Class["index"][Name]>
>;
type ValueOf<Result> = Result extends readonly (infer Value)[] ? Value : Exclude<Result, undefined>;

const MOST_INDEXES = 16;
const MOST_VALUES = 16;
const MOST_BYTES = 512;

const encoder = new TextEncoder();

/** The kinds of values in their order. */
export const RANK = { null: 0, boolean: 1, number: 2, string: 3 } as const;

/** A value as the database has it: its rank, and a number or a text. */
export type StoredValue = readonly [rank: number, value: number | string];

export function storedValue(value: IndexValue): StoredValue {
  if (value === null) return [RANK.null, 0];
  if (typeof value === "boolean") return [RANK.boolean, Number(value)];
  return typeof value === "number" ? [RANK.number, value] : [RANK.string, value];
}

export function indexValue([rank, value]: StoredValue): IndexValue {
  if (rank === RANK.null) return null;
  return rank === RANK.boolean ? value === 1 : value;
}

/** Why a value can't be one of an index; undefined if it can. */
export function valueFault(value: unknown): string | undefined {
  if (value === null || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${value} is no JSON number`;
  if (typeof value !== "string") return "it must be a text, a number, true, false or null";
  // At most three bytes for each unit: most texts need not be encoded to be measured.
  if (value.length * 3 > MOST_BYTES && encoder.encode(value).length > MOST_BYTES)
    return `a text has at most ${MOST_BYTES} bytes`;
  return /\0|\p{Surrogate}/u.test(value) ? "a text has no character 0 and no half of a surrogate pair" : undefined;
}

/** The indexes of a type ([IDX1]). */
export class TypeIndexes {
  readonly #functions: readonly [name: string, of: (state: unknown) => unknown][];
  /** Another one when the values of stored objects may be others: their indexes are built anew ([IDX4]). */
  readonly version: string;

  private constructor(functions: readonly [string, (state: unknown) => unknown][], version: number) {
    this.#functions = functions;
    const text = functions.map(([name, of]) => `${name} ${of}`).join("\n");
    this.version = `${version}-${fnv1a32(text).toString(16)}`;
  }

  /** Those of a class, undefined if it has none. @throws Error that says what is wrong with them */
  static of(objectClass: IndexedClass): TypeIndexes | undefined {
    const functions = Object.entries(objectClass.index as Record<string, unknown>);
    if (functions.length === 0) return undefined;
    if (functions.length > MOST_INDEXES) throw new Error(`it has more than ${MOST_INDEXES} indexes`);
    for (const [name, of] of functions) {
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) throw new Error(`bad index name "${name}"`);
      if (typeof of !== "function") throw new Error(`its index "${name}" is no function of the state`);
    }
    return new TypeIndexes(functions as [string, (state: unknown) => unknown][], objectClass.version);
  }

  get names(): string[] {
    return this.#functions.map(([name]) => name);
  }

  /**
   * What an object of this state is found by, as JSON text: the version, and a list `[name, rank, value]` for each value.
   * @param key names the object in an error
   * @throws EdgeverseError `STATE_INVALID`
   */
  entries(key: string, state: unknown): string {
    const entries = this.#functions.flatMap(([name, of]) => {
      const values = valuesOf(key, name, of, state);
      return [...new Set(values)].map((value) => [name, ...storedValue(value)] as const);
    });
    return JSON.stringify([this.version, ...entries]);
  }
}

function valuesOf(key: string, name: string, of: (state: unknown) => unknown, state: unknown): readonly IndexValue[] {
  let found: unknown;
  try {
    found = of(state);
  } catch (cause) {
    throw unfit(key, name, "its function throws", cause);
  }
  if (found === undefined) return [];
  const values: readonly unknown[] = Array.isArray(found) ? found : [found];
  if (values.length > MOST_VALUES) throw unfit(key, name, `an object has at most ${MOST_VALUES} values in it`);
  for (const value of values) {
    const fault = valueFault(value);
    if (fault !== undefined) throw unfit(key, name, fault);
  }
  return values as readonly IndexValue[];
}

function unfit(key: string, name: string, why: string, cause?: unknown): EdgeverseError {
  return new EdgeverseError("STATE_INVALID", `Cannot index ${key} by "${name}": ${why}`, { cause });
}
