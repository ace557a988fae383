import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HostError } from "./host-error.ts";
import { processIdentity } from "./process-identity.ts";

export interface FolderLock {
  /** The lock was left by a host that had died without removing it. */
  readonly takenOver: boolean;
  release(): void;
}

/**
 * Takes the one lock of a data folder, or throws {@link HostError} naming the process that has it. Two hosts on one folder would be two
 * owners of every object. A lock whose process is gone (kill -9, power cut) is taken over.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, "host.lock");
  const mine = join(folder, `host.lock.${process.pid}`);
  const content = JSON.stringify({
    pid: process.pid,
    started: processIdentity(process.pid),
    at: new Date().toISOString(),
  });
  writeFileSync(mine, content, { mode: 0o600 });
  try {
    const takenOver = take(folder, path, mine);
    return { takenOver, release: () => release(path, content) };
  } finally {
    rmSync(mine, { force: true });
  }
}

function take(folder: string, path: string, mine: string): boolean {
  // `link` fails when the name exists and never shows a half-written file: the winner is decided by the file system.
  for (let takenOver = false, attempt = 0; attempt < 5; attempt++) {
    if (tryLink(mine, path)) return takenOver;
    const held = readText(path);
    if (held === undefined) continue;
    const holder = liveHolder(held);
    if (holder !== undefined) throw inUse(folder, holder);
    takenOver = setAside(path, held) || takenOver;
  }
  throw new HostError(`Cannot lock the data folder ${folder}: other hosts are starting on it`);
}

/** Moves a stale lock away. When another host replaced it since it was read, that one is put back. */
function setAside(path: string, stale: string): boolean {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return false;
  }
  const moved = readText(aside);
  if (moved !== stale) tryLink(aside, path);
  rmSync(aside, { force: true });
  return moved === stale;
}

function liveHolder(content: string): number | undefined {
  try {
    const { pid, started } = JSON.parse(content) as { pid: number; started?: string };
    return started !== undefined && processIdentity(pid) === started ? pid : undefined;
  } catch {
    return undefined; // A power cut can leave an empty file.
  }
}

function release(path: string, content: string): void {
  if (readText(path) === content) rmSync(path, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function inUse(folder: string, pid: number): HostError {
  return new HostError(
    `The data folder ${folder} is in use by another host (process ${pid}): stop it, or set EDGEVERSE_DATA`,
  );
}
