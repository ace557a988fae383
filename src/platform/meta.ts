import type { SqlStorage } from "./ports.ts";

/** What a database says of itself, by names, in its table `meta`. */
export function readMeta(storage: SqlStorage, key: string): string | undefined {
  return storage.query<{ value: string }>("SELECT value FROM meta WHERE key = ?", key)[0]?.value;
}

export function writeMeta(storage: SqlStorage, key: string, value: string): void {
  storage.query("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value);
}
