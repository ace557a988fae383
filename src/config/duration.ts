const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `"250ms"`, `"30s"`, `"5m"`, `"12h"`, `"30d"`; undefined for anything else. At most 100 years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) * (UNITS[match[2] as string] as number);
  return value <= 100 * 365 * 86_400_000 ? value : undefined;
}

/** The shortest text of so many ms: `"90s"`, `"1h"`. */
export function durationText(ms: number): string {
  const units = Object.entries(UNITS).filter(([, size]) => ms % size === 0);
  const [unit, size] = ms === 0 ? ["ms", 1] : (units.at(-1) as [string, number]);
  return `${ms / size}${unit}`;
}
