import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { PGlite } from "@electric-sql/pglite";

const FIXTURE = join(import.meta.dirname, "../fixtures/data-1a5850a");

interface Asked {
  /** Type and id, `Counter/c0`; the id may hold a slash of its own. */
  readonly object: string;
  readonly method: string;
  readonly request?: unknown;
}

interface Place {
  readonly shard: number;
  readonly from: string;
  readonly to: string;
}

/** What the host that wrote the folder answered: see the fixture's README. */
export interface Expected {
  readonly reads: readonly (Asked & { readonly response: unknown })[];
  readonly calls: readonly (Asked & {
    readonly callId: string;
    readonly status: number;
    readonly response?: unknown;
    readonly code?: string;
  })[];
  readonly pending: readonly { readonly object: string; readonly callId: string; readonly request: unknown }[];
  readonly touched: Readonly<Record<string, number>>;
  readonly moved: Place;
  readonly pinned: Place;
  readonly moving: Place;
}

export function expected(): Expected {
  return JSON.parse(readFileSync(join(FIXTURE, "expected.json"), "utf8")) as Expected;
}

/** Lays the Durable Objects' files of the fixture into `folder`. Returns their paths. */
export function unpackObjects(folder: string): string[] {
  return readdirSync(join(FIXTURE, "objects"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const packed = join(entry.parentPath, entry.name);
      const path = join(folder, relative(FIXTURE, packed).replace(/\.gz$/, ""));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, gunzipSync(readFileSync(packed)));
      return path;
    });
}

/** Makes the embedded Postgres of a data folder from the fixture's dump. */
export async function unpackLog(folder: string): Promise<void> {
  mkdirSync(join(folder, "postgres"), { recursive: true });
  const database = await PGlite.create(join(folder, "postgres/pgdata"));
  await database.exec(readFileSync(join(FIXTURE, "log.sql"), "utf8"));
  await database.close();
}
