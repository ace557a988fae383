import { randomBytes } from "node:crypto";
import type { SqlExecutor } from "./executor.ts";
import { LazyExecutor } from "./lazy-executor.ts";
import { migrate } from "./migrate.ts";
import { startNeonBridge } from "./neon-bridge.ts";
import { isNeon, openExecutor } from "./open-executor.ts";
import { needPackage } from "./optional-package.ts";

export interface LocalPostgresOptions {
  /** Folder for the embedded Postgres, made when missing; used when no `databaseUrl` is given. */
  readonly dataDir: string;
  readonly databaseUrl?: string | undefined;
  /** Port of the bridge. Default: any free one. */
  readonly port?: number | undefined;
  /** Hears, in a sentence, that the embedded Postgres can't be opened when it is needed, or not soon. */
  readonly onTrouble?: (message: string) => void;
}

export interface LocalPostgres {
  /** Connection string for `PostgresCallLog`: a secret. */
  readonly url: string;
  /** Where to send SQL; absent when `url` is a database at Neon, which its client finds itself. */
  readonly endpoint?: string;
  stop(): Promise<void>;
}

/**
 * Brings up the database that local workers use, migrated: any Postgres server (behind a bridge that speaks Neon's
 * protocol), or Neon itself. The embedded Postgres, behind the same bridge, starts when the first statement comes.
 */
export async function startPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const { databaseUrl, port } = options;
  if (databaseUrl !== undefined && isNeon(databaseUrl)) {
    await migrate(await openExecutor(databaseUrl));
    return { url: databaseUrl, stop: async () => {} };
  }
  const executor = databaseUrl === undefined ? embedded(options) : await openMigrated(() => openExecutor(databaseUrl));
  try {
    return await bridge(executor, port);
  } catch (error) {
    await executor.close();
    throw error;
  }
}

function embedded({ dataDir, onTrouble = () => {} }: LocalPostgresOptions): SqlExecutor {
  needPackage("@electric-sql/pglite", "The embedded Postgres", ", set DATABASE_URL, or pass --no-postgres");
  const open = async () => {
    const { PgliteExecutor } = await import("./pglite-executor.ts");
    return PgliteExecutor.open(dataDir);
  };
  return new LazyExecutor({ open: () => openMigrated(open), onTrouble });
}

async function openMigrated(open: () => Promise<SqlExecutor>): Promise<SqlExecutor> {
  const executor = await open();
  try {
    await migrate(executor);
    return executor;
  } catch (error) {
    await executor.close();
    throw error;
  }
}

async function bridge(executor: SqlExecutor, port: number | undefined): Promise<LocalPostgres> {
  // Made anew at each start: whoever can read the worker's variables may use the database, nobody else on this machine.
  const url = `postgresql://edgeverse:${randomBytes(24).toString("hex")}@127.0.0.1/edgeverse`;
  const { endpoint, close } = await startNeonBridge(executor, { url, port });
  const stop = async () => {
    await close();
    await executor.close();
  };
  return { url, endpoint, stop };
}
