type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A step of a JSON patch (RFC 6902), of the kinds that are made here. */
type PatchStep =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string };

/** Characters of a state beyond which no patch is looked for, and steps of a patch. */
const MOST = { characters: 256 * 1024, steps: 200 } as const;

/** Thrown when the whole value is the better patch. */
class TooMuch extends Error {}

/**
 * A JSON patch (RFC 6902) that makes one value of another, as text; undefined where the new value itself is the better way.
 * Both are JSON texts. It takes time in proportion to what they hold: of an array that begins and ends as before, what lies
 * between is compared place by place. A shortest patch would take the product of their lengths, in a partition of others' objects.
 */
export function patchBetween(before: string, after: string): string | undefined {
  if (before.length > MOST.characters || after.length > MOST.characters) return undefined;
  const steps: PatchStep[] = [];
  try {
    compare(JSON.parse(before) as Json, JSON.parse(after) as Json, "", steps);
  } catch (error) {
    if (error instanceof TooMuch) return undefined;
    throw error;
  }
  const text = JSON.stringify(steps);
  return text.length < after.length ? text : undefined;
}

function compare(before: Json, after: Json, path: string, steps: PatchStep[]): void {
  if (isSame(before, after)) return;
  if (isList(before) && isList(after)) compareLists(before, after, path, steps);
  else if (isObject(before) && isObject(after)) compareObjects(before, after, path, steps);
  else add(steps, { op: "replace", path, value: after });
}

type JsonObject = { readonly [key: string]: Json };

function compareObjects(before: JsonObject, after: JsonObject, path: string, steps: PatchStep[]): void {
  for (const key of Object.keys(before))
    if (!Object.hasOwn(after, key)) add(steps, { op: "remove", path: below(path, key) });
  for (const key of Object.keys(after)) {
    const value = after[key] as Json;
    if (Object.hasOwn(before, key)) compare(before[key] as Json, value, below(path, key), steps);
    else add(steps, { op: "add", path: below(path, key), value });
  }
}

function compareLists(before: readonly Json[], after: readonly Json[], path: string, steps: PatchStep[]): void {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && isSame(before[start] as Json, after[start] as Json)) start++;
  let end = 0;
  while (end < shorter - start && isSame(before.at(-1 - end) as Json, after.at(-1 - end) as Json)) end++;
  const both = shorter - end;
  for (let index = start; index < both; index++)
    compare(before[index] as Json, after[index] as Json, `${path}/${index}`, steps);
  for (let index = before.length - end - 1; index >= both; index--)
    add(steps, { op: "remove", path: `${path}/${index}` });
  for (let index = both; index < after.length - end; index++)
    add(steps, { op: "add", path: `${path}/${index}`, value: after[index] as Json });
}

function add(steps: PatchStep[], step: PatchStep): void {
  if (steps.push(step) > MOST.steps) throw new TooMuch();
}

/** Who applies patches without care must not be led to a prototype. */
function below(path: string, key: string): string {
  if (key === "__proto__") throw new TooMuch();
  return `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function isSame(one: Json, other: Json): boolean {
  if (one === other) return true;
  if (isList(one))
    return (
      isList(other) && one.length === other.length && one.every((item, index) => isSame(item, other[index] as Json))
    );
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key] as Json, other[key] as Json))
  );
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}
