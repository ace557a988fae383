import { closeSync, fsyncSync, openSync } from "node:fs";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/** As much of Emscripten's NODEFS as is used here. */
interface NodeFsModule {
  readonly NODEFS: {
    realPath(node: unknown): string;
    readonly stream_ops: { fsync?: (stream: { readonly nfd?: number; readonly node: unknown }) => number };
  };
}

/**
 * PGlite's folder on disk with a working `fsync`, which PGlite leaves out (electric-sql/pglite#1107): without it a
 * `kill -9` is survived, because the kernel has the writes, but a power cut is not. Needs `wal_sync_method=fsync`.
 */
export class SyncedNodeFS extends NodeFS {
  /** How many times Postgres asked for a sync: lets a test see that it still does. */
  static syncs = 0;

  override async init(...args: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(...args);
    const addFsync = (module: unknown) => {
      const { NODEFS } = module as NodeFsModule;
      NODEFS.stream_ops.fsync = ({ nfd, node }) => {
        SyncedNodeFS.syncs++;
        if (nfd === undefined) syncFolder(NODEFS.realPath(node));
        else fsyncSync(nfd);
        return 0;
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addFsync] } };
  }
}

/** Makes the names in a folder, or a file, durable. */
export function syncFolder(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
