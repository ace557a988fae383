/** Paths that are named at most. */
const MOST = 10;

/**
 * Paths of the members that a JSON value has and that are missing in what a schema made of it: what would be lost if only
 * that were kept. Items of a list share a path, such as `lines.[].from`.
 */
export function droppedKeys(value: unknown, parsed: unknown): string[] {
  const dropped = new Set<string>();
  collect(value, parsed, [], dropped);
  return [...dropped];
}

function collect(value: unknown, parsed: unknown, path: string[], dropped: Set<string>): void {
  // A part that the schema takes as it is, such as `z.unknown()`, is the same object.
  if (value === parsed || dropped.size >= MOST || !isObject(value) || !isObject(parsed)) return;
  if (Array.isArray(value) && Array.isArray(parsed)) {
    path.push("[]");
    for (const [index, item] of value.entries()) collect(item, parsed[index], path, dropped);
    path.pop();
    return;
  }
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    path.push(key);
    if (Object.hasOwn(parsed, key)) collect(member, parsed[key], path, dropped);
    else if (dropped.size < MOST) dropped.add(path.join("."));
    path.pop();
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
