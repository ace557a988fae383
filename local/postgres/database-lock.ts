import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Takes a folder for this process alone; the returned function gives it back. PGlite takes no lock, and two processes on
 * one folder destroy it. The lock is SQLite's, so it is the kernel's: a `kill -9` releases it, and no process id that
 * was used again can keep it, as happens to files that hold one.
 *
 * @throws Error when another process, or this one, holds it
 */
export function lockDatabase(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(folder, "database.lock"));
  try {
    lock.exec("pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive");
  } catch (cause) {
    lock.close();
    throw new Error(`Cannot open ${folder}: another process uses it`, { cause });
  }
  return () => lock.close();
}
