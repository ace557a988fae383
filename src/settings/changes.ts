/** One place where two documents differ. Absent: there is nothing at that place. */
export interface Change {
  /** A JSON Pointer, such as `/settings/callTimeout`. */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** What makes one JSON value into another: objects and lists by their members. */
export function changesBetween(from: unknown, to: unknown, path = ""): Change[] {
  if (!isBranch(from) || !isBranch(to) || Array.isArray(from) !== Array.isArray(to)) {
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    return [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  }
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].flatMap((key) => changesBetween(from[key], to[key], `${path}/${escaped(key)}`));
}

/** As many of them as fit into so many characters of JSON, and how many do not. */
export function shortened(changes: readonly Change[], most: number): { changes: readonly Change[]; more?: number } {
  let room = most;
  let fit = 0;
  for (const change of changes) {
    room -= JSON.stringify(change).length + 1;
    if (room < 0) break;
    fit++;
  }
  return fit === changes.length ? { changes } : { changes: changes.slice(0, fit), more: changes.length - fit };
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
