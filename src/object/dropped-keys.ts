/** Paths that are named at most. */
const MOST = 10;

/**
 * Paths of what a JSON value has and what is missing in what a schema made of it: what would be lost if only that were kept.
 * Missing are members, items of a list that became shorter, and parts with members or items in place of which the schema
 * put something else, as `catch` does. A text, number or boolean may become another one. Items of a list share a path, such
 * as `lines.[].from`.
 */
export function droppedKeys(value: unknown, parsed: unknown): string[] {
  const dropped = new Set<string>();
  collect(value, parsed, [], dropped);
  return [...dropped];
}

function collect(value: unknown, parsed: unknown, path: string[], dropped: Set<string>): void {
  // A part that the schema takes as it is, such as `z.unknown()`, is the same object.
  if (value === parsed || value === undefined || dropped.size >= MOST) return;
  const there = parsed !== undefined && (!hasContent(value) || isLike(value, parsed));
  if (!there) {
    dropped.add(path.join("."));
    return;
  }
  if (!isObject(value) || !isObject(parsed)) return;
  if (Array.isArray(value)) {
    const items = parsed as unknown as readonly unknown[];
    // Which items are gone can't be told: they have no names.
    if (items.length < value.length) dropped.add([...path, "[]"].join("."));
    else for (const [index, item] of value.entries()) collect(item, items[index], [...path, "[]"], dropped);
    return;
  }
  for (const key of Object.keys(value)) {
    path.push(key);
    collect(value[key], Object.hasOwn(parsed, key) ? parsed[key] : undefined, path, dropped);
    path.pop();
  }
}

/** Whether a value has members or items that could be lost. */
function hasContent(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function isLike(value: unknown, parsed: unknown): boolean {
  return isObject(parsed) && Array.isArray(value) === Array.isArray(parsed);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
