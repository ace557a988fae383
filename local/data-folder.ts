import { randomBytes } from "node:crypto";
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { HostError } from "./host-error.ts";

/** The longest path a Unix socket may have on every system (macOS: 104 bytes with its final zero). */
const SOCKET_PATH_LIMIT = 103;

/** The folder that holds everything that survives a restart, locked for one host. */
export interface DataFolder {
  readonly path: string;
  /** SQLite files of the Durable Objects. */
  readonly objects: string;
  readonly postgres: string;
  /** The bundle and the generated workerd configuration: made anew at every start. */
  readonly worker: string;
  /** State of `wrangler dev`, apart from the host's own. */
  readonly wrangler: string;
  /** State of Miniflare's simulators. */
  readonly simulators: string;
  /** For sockets, with a path short enough. */
  readonly run: string;
  /** A host died here without cleaning up; its children may need a moment to end. */
  readonly takenOver: boolean;
  /** Gives the folder free for another host. */
  close(): void;
}

/** Creates, checks and locks a data folder; throws {@link HostError} when it can't be used. */
export function openDataFolder(path: string): DataFolder {
  const objects = join(path, "objects");
  const worker = join(path, "worker");
  const wrangler = join(path, "wrangler");
  const lock = prepare(path, [objects, worker, wrangler]);
  const socket = controlSocketIn(path);
  return {
    path,
    objects,
    worker,
    wrangler,
    postgres: join(path, "postgres"),
    simulators: join(path, "simulators"),
    run: socket.folder,
    takenOver: lock.takenOver,
    close() {
      if (socket.temporary) rmSync(socket.folder, { recursive: true, force: true });
      lock.release();
    },
  };
}

/** The token kept in the folder, else a new one, kept with mode 0600. */
export function adminTokenIn(folder: string): string {
  const file = join(folder, "admin-token");
  try {
    const kept = readFileSync(file, "utf8").trim();
    if (kept !== "") return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new HostError(`Cannot read ${file}: ${(error as Error).message}`);
  }
  const token = randomBytes(32).toString("base64url");
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}

function prepare(path: string, folders: readonly string[]): FolderLock {
  try {
    // 0700: object state, the admin token and the control socket are for this user alone.
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
    accessSync(path, constants.W_OK | constants.X_OK);
    const lock = lockFolder(path);
    for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 });
    return lock;
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(
      `Cannot use the data folder ${path}: ${(error as Error).message}; choose a writable one with --data or EDGEVERSE_DATA`,
    );
  }
}

function controlSocketIn(path: string): { folder: string; temporary: boolean } {
  const folder = join(path, "run");
  if (Buffer.byteLength(join(folder, "control.sock")) > SOCKET_PATH_LIMIT)
    return { folder: mkdtempSync(join(tmpdir(), "edgeverse-")), temporary: true };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700); // Also when the data folder itself was made by somebody with a wider mode.
  return { folder, temporary: false };
}
