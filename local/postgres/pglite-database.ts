import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { lockDatabase } from "./database-lock.ts";
import type { SqlExecutor, SqlResult, SqlStatement } from "./executor.ts";
import { SyncedNodeFS, syncFolder } from "./synced-node-fs.ts";

/** WAL after which a checkpoint is made, and how often to look. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
const UPKEEP_MS = 30_000;
/** Statements between two vacuums. */
const VACUUM_STATEMENTS = 20_000;

/** The folder in the database's own that Postgres keeps its files in. */
const DATA = "pgdata";

const isSync = (param: string) => param === "-F";
/**
 * PGlite's own, less the one that turns fsync off. fdatasync does nothing there, so WAL is synced with fsync. The usual 128 MB
 * of buffers are for a server with many clients.
 */
const START = [
  ...PGlite.defaultStartParams.filter((param) => !isSync(param)),
  "-c",
  "wal_sync_method=fsync",
  "-c",
  "shared_buffers=8MB",
];

/**
 * The embedded Postgres, its data in a folder of this machine. Commits are durable: a `kill -9` at any time, or a power
 * cut, loses nothing that was acknowledged. One process at a time.
 */
export class PgliteDatabase implements SqlExecutor {
  readonly #db: PGlite;
  readonly #unlock: () => void;
  readonly #timer: NodeJS.Timeout;
  #statements = 0;
  #vacuumedAt = 0;
  #closed: Promise<void> | undefined;

  private constructor(db: PGlite, unlock: () => void) {
    this.#db = db;
    this.#unlock = unlock;
    this.#timer = setInterval(() => void this.#upkeep().catch(() => {}), UPKEEP_MS).unref();
  }

  static isMade(folder: string): boolean {
    return existsSync(join(folder, DATA));
  }

  /** Makes the database in `folder`, if there is none. */
  static async make(folder: string): Promise<void> {
    const unlock = lockDatabase(folder);
    try {
      if (!PgliteDatabase.isMade(folder)) await create(folder, join(folder, DATA));
    } finally {
      unlock();
    }
  }

  /** Opens the database in `folder`, made when missing; recovers from whatever ended the last process. */
  static async open(folder: string): Promise<PgliteDatabase> {
    const unlock = lockDatabase(folder);
    try {
      if (!PgliteDatabase.isMade(folder)) await create(folder, join(folder, DATA));
      return new PgliteDatabase(await openDatabase(join(folder, DATA)), unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  }

  async run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]> {
    this.#statements += statements.length;
    const results: SqlResult[] = [];
    const all = async (db: Pick<PGlite, "query">) => {
      for (const one of statements) results.push(await runOne(db, one));
    };
    if (transaction) await this.#db.transaction(all);
    else await all(this.#db);
    return results;
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed ??= this.#db.close().finally(this.#unlock);
    return this.#closed;
  }

  /** Single-user Postgres has no background processes: without this, WAL and dead rows would grow until it is closed. */
  async #upkeep(): Promise<void> {
    const sql =
      "select pg_wal_lsn_diff(pg_current_wal_lsn(), redo_lsn) > $1::numeric as due from pg_control_checkpoint()";
    const [row] = (await this.#db.query<{ due: string }>(sql, [String(CHECKPOINT_BYTES)])).rows;
    if (row?.due === "t") await this.#db.exec("checkpoint");
    if (this.#statements - this.#vacuumedAt < VACUUM_STATEMENTS) return;
    this.#vacuumedAt = this.#statements;
    await this.#db.exec("vacuum analyze");
  }
}

async function runOne(db: Pick<PGlite, "query">, { query, params }: SqlStatement): Promise<SqlResult> {
  const { command, rowCount, fields, rows } = await db.query<(string | null)[]>(query, [...params], {
    rowMode: "array",
  });
  // PGlite swallows a trap inside Postgres and then answers with nothing at all: that must not look like success.
  if (command === undefined) throw new Error("The embedded Postgres gave no answer");
  return { command, rowCount: rowCount ?? null, fields, rows };
}

/** Made beside its place and then renamed: a process killed half-way leaves no half database. */
async function create(folder: string, data: string): Promise<void> {
  const draft = join(folder, "pgdata.draft");
  rmSync(draft, { recursive: true, force: true });
  await (await openDatabase(draft)).close();
  // The first files were copied in without a sync.
  for (const entry of readdirSync(draft, { recursive: true, encoding: "utf8" })) syncFolder(join(draft, entry));
  syncFolder(draft);
  renameSync(draft, data);
  syncFolder(folder);
}

async function openDatabase(data: string): Promise<PGlite> {
  // PGlite's process id is always the same, so this file cannot tell a living process from a dead one; killed while
  // writing it, Postgres would refuse to start ever after. The folder's lock does its work.
  rmSync(join(data, "postmaster.pid"), { force: true });
  const log: string[] = [];
  const onStderr = (text: string) => {
    log.push(text);
    if (log.length > 5) log.shift();
    return false;
  };
  try {
    const db = await PGlite.create({ fs: new SyncedNodeFS(data), startParams: START, onStderr });
    // Values stay text, both ways. Set after opening, which adds the parsers of array types.
    for (const oid of Object.keys(db.parsers)) db.parsers[Number(oid)] = (text: string) => text;
    for (const oid of Object.keys(db.serializers)) db.serializers[Number(oid)] = (text: string) => text;
    return db;
  } catch (cause) {
    throw new Error(`Cannot open the embedded Postgres in ${data}: ${log.join(" ") || "it ended at once"}`, { cause });
  }
}
