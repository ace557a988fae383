/** Levels of nesting a JSON value may have. Keeps every recursive walk far from the end of the stack. */
export const MAX_DEPTH = 128;

/** A value that is not JSON, and where: `path` is like `["items", 3, "when"]`. */
export class NotJsonError extends Error {
  override readonly name = "NotJsonError";
  readonly path: readonly (string | number)[];

  constructor(why: string, path: readonly (string | number)[]) {
    super(`${path.length === 0 ? "the value" : path.join(".")} ${why}`);
    this.path = path;
  }
}

/** A JSON value that takes more bytes than allowed. */
export class JsonTooLargeError extends Error {
  override readonly name = "JsonTooLargeError";
}

/**
 * What the copy under way takes at least and at most, in bytes of JSON. A character is one to six bytes, a number one to
 * 25. Copying is synchronous, so one pair of counters serves all.
 */
let least = 0;
let most = 0;
let allowed = Number.POSITIVE_INFINITY;

/**
 * A deep copy of a JSON value: how values cross between objects of one partition ([OBJ3]). Properties that are
 * `undefined` are left out, as `JSON.stringify` does; `undefined` itself becomes null.
 *
 * @param limit bytes of JSON text
 * @throws NotJsonError for anything that JSON would drop, change or refuse: functions, NaN, dates, class instances, cycles
 * @throws JsonTooLargeError over `limit`
 */
export function copyJson(value: unknown, limit = Number.POSITIVE_INFINITY): unknown {
  least = 0;
  most = 0;
  allowed = limit;
  const result = value === undefined ? null : copy(value, [], 0);
  if (most > limit && exceedsBytes(JSON.stringify(result), limit)) throw new JsonTooLargeError(TOO_LARGE);
  return result;
}

/** Bytes of JSON that the last copy takes at least. */
export function bytesOfLastCopy(): number {
  return least;
}

const TOO_LARGE = "the value is too large";

function spend(atLeast: number, atMost: number): void {
  least += atLeast;
  most += atMost;
  if (least > allowed) throw new JsonTooLargeError(TOO_LARGE);
}

function copy(value: unknown, path: (string | number)[], depth: number): unknown {
  switch (typeof value) {
    case "string":
      spend(value.length + 2, 6 * value.length + 2);
      return value;
    case "boolean":
      spend(4, 5);
      return value;
    case "number":
      spend(1, 25);
      if (Number.isFinite(value)) return value;
      throw new NotJsonError(`is ${value}`, [...path]);
    case "object":
      if (value === null) {
        spend(4, 4);
        return null;
      }
      if (depth >= MAX_DEPTH) throw new NotJsonError(`is nested more than ${MAX_DEPTH} levels deep`, path.slice(0, 8));
      return Array.isArray(value) ? copyArray(value, path, depth) : copyObject(value, path, depth);
    default:
      throw new NotJsonError(`is of type ${typeof value}`, [...path]);
  }
}

function copyArray(value: readonly unknown[], path: (string | number)[], depth: number): unknown[] {
  spend(value.length + 1, value.length + 2);
  const result = new Array<unknown>(value.length);
  for (let index = 0; index < value.length; index++) {
    path.push(index);
    result[index] = copy(value[index], path, depth + 1);
    path.pop();
  }
  return result;
}

function copyObject(value: object, path: (string | number)[], depth: number): Record<string, unknown> {
  if (!isPlain(value)) {
    throw new NotJsonError(`is an instance of ${value.constructor?.name ?? "a class"}`, [...path]);
  }
  spend(2, 2);
  const result: Record<string, unknown> = {};
  const source = value as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    const member = source[key];
    if (member === undefined) continue;
    spend(key.length + 3, 6 * key.length + 4);
    path.push(key);
    const copied = copy(member, path, depth + 1);
    path.pop();
    // Plain assignment to this key would set the prototype instead.
    if (key === "__proto__")
      Object.defineProperty(result, key, { value: copied, enumerable: true, writable: true, configurable: true });
    else result[key] = copied;
  }
  return result;
}

/** JSON text of a value that `copyJson` would accept. @throws NotJsonError */
export function jsonText(value: unknown): string {
  if (value === undefined) return "null";
  checkJson(value, [], 0);
  return JSON.stringify(value);
}

function checkJson(value: unknown, path: (string | number)[], depth: number): void {
  if (typeof value !== "object" || value === null) {
    if (typeof value !== "string" && typeof value !== "boolean") copy(value, path, depth);
    return;
  }
  if (depth >= MAX_DEPTH || !(Array.isArray(value) || isPlain(value))) {
    copy(value, path, depth);
    return;
  }
  const isArray = Array.isArray(value);
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined && !isArray) continue;
    path.push(isArray ? Number(key) : key);
    checkJson(member, path, depth + 1);
    path.pop();
  }
  if (isArray && Object.keys(value).length !== value.length) copy(value, path, depth);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Parses JSON text into a value no deeper than `MAX_DEPTH`.
 * @throws SyntaxError when the text is not JSON, NotJsonError when it is too deep
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (text.length > 2 * MAX_DEPTH) checkLevels(value);
  return value;
}

/** For a value that was parsed already. @throws NotJsonError when it is deeper than `MAX_DEPTH` */
export function checkLevels(value: unknown): void {
  if (typeof value === "object" && value !== null) checkDepth(value, 1);
}

function checkDepth(value: object, depth: number): void {
  if (depth > MAX_DEPTH) throw new NotJsonError(`is nested more than ${MAX_DEPTH} levels deep`, []);
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null) checkDepth(member, depth + 1);
  }
}

const encoder = new TextEncoder();

/** True when `text` takes more than `limit` bytes of UTF-8. Looks at the bytes only when the length leaves it open. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && encoder.encode(text).length > limit;
}

/** Deep-freezes a JSON value and returns it. */
export function freezeJson<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freezeJson(member);
  }
  return value;
}
