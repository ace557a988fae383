import { findGaps, type Gap, type LockEntries, type LockEntry, resolve, systemOf } from "./lockfile-gaps.ts";

/** What a registry says of one version of a package; undefined when it does not have it. */
export type AskRegistry = (name: string, version: string) => LockEntry | undefined;

/**
 * Fills the gaps of a lockfile: with the entries that an earlier lockfile had of the same versions, else with what a
 * registry says, else with what the package's name says of its platform.
 * @throws Error naming a package of which nothing is known
 */
export function restore(entries: LockEntries, earlier: LockEntries, ask: AskRegistry): LockEntries {
  const restored: Record<string, LockEntry> = { ...entries };
  // What is put back may want others.
  for (let gaps = findGaps(restored); gaps.length > 0; ) {
    const before = Object.keys(restored).length;
    for (const gap of gaps) {
      const path = resolve(earlier, gap.wantedBy, gap.name) ?? gap.path;
      restored[restored[path] === undefined ? path : gap.path] = entryOf(gap, restored, earlier, ask);
    }
    gaps = Object.keys(restored).length > before ? findGaps(restored) : [];
  }
  // As npm sorts them.
  return Object.fromEntries(Object.entries(restored).sort(([left], [right]) => left.localeCompare(right, "en")));
}

function entryOf(gap: Gap, entries: LockEntries, earlier: LockEntries, ask: AskRegistry): LockEntry {
  const { name, range, wantedBy } = gap;
  const wanted = { ...earlier[wantedBy]?.dependencies, ...earlier[wantedBy]?.optionalDependencies }[name];
  const place = wanted === range ? resolve(earlier, wantedBy, name) : undefined;
  const before =
    (place === undefined ? undefined : earlier[place]) ??
    Object.entries(earlier).find(([path, entry]) => path.endsWith(`/${name}`) && entry.version === range)?.[1];
  if (before !== undefined) return before;
  const known = ask(name, range) ?? saidBy(name, range);
  if (known === undefined) throw new Error(`Cannot restore ${name}@${range}: neither lockfile nor registry has it`);
  const { dev, peer } = entries[wantedBy] as LockEntry;
  return sorted({ ...known, ...(dev && { dev }), ...(peer && { peer }), optional: true });
}

function saidBy(name: string, version: string): LockEntry | undefined {
  const system = systemOf(name);
  if (system === undefined) return undefined;
  const processor = /arm64|x64|ia32|arm|ppc64|riscv64|s390x|loong64|mips64el|64$/.exec(name)?.[0];
  return { version, os: [system], ...(processor && { cpu: [processor === "64" ? "x64" : processor] }) };
}

/** As npm writes them: the version and what it hangs on, then the rest by name, objects last. */
function sorted(entry: LockEntry): LockEntry {
  const first = ["version", "integrity"];
  const rank = ([key, value]: [string, unknown]) =>
    first.includes(key) ? first.indexOf(key) : typeof value === "object" && !Array.isArray(value) ? 3 : 2;
  const order = (left: [string, unknown], right: [string, unknown]) =>
    rank(left) - rank(right) || left[0].localeCompare(right[0], "en");
  return Object.fromEntries(Object.entries(entry).sort(order));
}
