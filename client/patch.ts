import type { PatchStep } from "./frames.ts";

type Json = unknown;

/**
 * Applies a JSON Patch (RFC 6902). What it changes is copied, what it does not is shared: so `===` tells what is as it was.
 * @throws Error when a step does not fit the document
 */
export function applyPatch(document: Json, patch: readonly PatchStep[]): Json {
  let result = document;
  for (const { op, path, from, value } of patch) {
    const at = segments(path);
    if (op === "add") result = put(result, at, value, true);
    else if (op === "replace") result = put(result, at, value, false);
    else if (op === "remove") result = remove(result, at);
    else if (op === "copy") result = put(result, at, find(result, segments(from)), true);
    else if (op === "move") {
      const moved = find(result, segments(from));
      result = put(remove(result, segments(from)), at, moved, true);
    } else if (op !== "test" || !isSame(find(result, at), value)) throw misfit(`${op} ${path}`);
  }
  return result;
}

function segments(pointer: string | undefined): string[] {
  if (pointer === "") return [];
  if (pointer?.[0] !== "/") throw misfit(String(pointer));
  return pointer
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function find(value: Json, path: readonly string[]): Json {
  return path.reduce((parent, key) => {
    if (!has(parent, key)) throw misfit(path.join("/"));
    return (parent as Record<string, Json>)[key];
  }, value);
}

/** @param add also where nothing is yet; in an array, before what is there */
function put(value: Json, [key, ...rest]: readonly string[], next: Json, add: boolean): Json {
  if (key === undefined) return next;
  if (rest.length > 0 || !add) {
    if (!has(value, key)) throw misfit(key);
    const inner = rest.length > 0 ? put((value as Record<string, Json>)[key], rest, next, add) : next;
    return Array.isArray(value) ? value.with(Number(key), inner) : { ...(value as object), [key]: inner };
  }
  if (!Array.isArray(value)) {
    if (typeof value !== "object" || value === null) throw misfit(key);
    return { ...value, [key]: next };
  }
  const index = key === "-" ? value.length : Number(key);
  if (!(INDEX.test(key) || key === "-") || index > value.length) throw misfit(key);
  return value.toSpliced(index, 0, next);
}

function remove(value: Json, [key = "", ...rest]: readonly string[]): Json {
  if (!has(value, key)) throw misfit(key);
  if (rest.length > 0) {
    const inner = remove((value as Record<string, Json>)[key], rest);
    return Array.isArray(value) ? value.with(Number(key), inner) : { ...(value as object), [key]: inner };
  }
  if (Array.isArray(value)) return value.toSpliced(Number(key), 1);
  const { [key]: _, ...others } = value as Record<string, Json>;
  return others;
}

const INDEX = /^(0|[1-9]\d*)$/;

function has(value: Json, key: string): boolean {
  if (Array.isArray(value)) return INDEX.test(key) && Number(key) < value.length;
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}

function isSame(one: Json, other: Json): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  const keys = Object.keys(one);
  return (
    Array.isArray(one) === Array.isArray(other) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => has(other, key) && isSame((one as never)[key], (other as never)[key]))
  );
}

function misfit(what: string): Error {
  return new Error(`Cannot apply the patch at ${what}`);
}
