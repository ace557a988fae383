/** An entry of `packages` in package-lock.json, as far as it is looked at here. */
export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly peer?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockEntries = Readonly<Record<string, LockEntry>>;

/** A package that another one wants on some platform, and that the lockfile has not, or not as it should. */
export interface Gap {
  /** The entry that wants it. */
  readonly wantedBy: string;
  readonly name: string;
  readonly range: string;
  /** Where its entry belongs. */
  readonly path: string;
  readonly problem: string;
}

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/**
 * What `npm ci` would lack on another platform. `npm install` drops the entries of optional packages that it can't install
 * or that its registry has not, and says nothing.
 */
export function findGaps(entries: LockEntries): Gap[] {
  return Object.entries(entries).flatMap(([wantedBy, entry]) => {
    const gap =
      (optional: boolean) =>
      ([name, range]: [string, string]): Gap[] => {
        const found = resolve(entries, wantedBy, name);
        if (found === undefined)
          return [{ wantedBy, name, range, path: `node_modules/${name}`, problem: "has no entry" }];
        const problem = problemOf(entries[found] as LockEntry, name, range, optional);
        return problem === undefined
          ? []
          : [{ wantedBy, name, range, path: `${wantedBy}/node_modules/${name}`, problem }];
      };
    return [
      ...Object.entries(entry.optionalDependencies ?? {}).flatMap(gap(true)),
      ...Object.entries(entry.dependencies ?? {}).flatMap(gap(false)),
    ];
  });
}

/** Entries that say which registry they came from: elsewhere there may be another. */
export function findRegistries(entries: LockEntries): string[] {
  return Object.keys(entries).filter((path) => entries[path]?.resolved?.startsWith("http"));
}

/** What npm calls the system in the name of a platform's package. */
export function systemOf(name: string): string | undefined {
  const system = /darwin|linux|win32|windows|android|freebsd|netbsd|openbsd|openharmony|sunos|aix/.exec(name)?.[0];
  return system === "windows" ? "win32" : system;
}

/** Finds a package's entry as Node finds its folder: beside what wants it, then further up. */
export function resolve(entries: LockEntries, wantedBy: string, name: string): string | undefined {
  for (
    let folder = wantedBy;
    folder !== "";
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))
  )
    if (entries[`${folder}/node_modules/${name}`] !== undefined) return `${folder}/node_modules/${name}`;
  return entries[`node_modules/${name}`] === undefined ? undefined : `node_modules/${name}`;
}

function problemOf(entry: LockEntry, name: string, range: string, optional: boolean): string | undefined {
  // Ranges are left to npm: `npm ci` refuses a lockfile that does not fit them.
  if (EXACT.test(range) && entry.version !== range) return `has version ${entry.version}`;
  if (!optional) return undefined;
  if (entry.optional !== true) return "is not optional";
  const system = systemOf(name);
  return system === undefined || entry.os?.includes(system) ? undefined : `is not for ${system} alone`;
}
