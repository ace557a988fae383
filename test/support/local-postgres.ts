import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PostgresCallLog } from "../../durable/postgres-log.ts";
import { type LocalPostgres, startPostgres } from "../../local/postgres/index.ts";
import { startPostgresServer } from "./postgres-server.ts";

/** An empty Postgres with the log's tables behind the Neon bridge, for tests. */
export interface TestPostgres {
  readonly postgres: LocalPostgres;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** The embedded one, awake: it starts with its first statement, and no test is to wait for that. */
export async function startEmbedded(): Promise<TestPostgres> {
  const dataDir = mkdtempSync(join(tmpdir(), "edgeverse-test-postgres-"));
  const postgres = await startPostgres({ dataDir });
  await new PostgresCallLog({ ...postgres, timeoutMs: 60_000 }).ping();
  const close = async () => {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { postgres, close };
}

/** A real server, by its programs in `bin`. */
export async function startOnServer(bin: string): Promise<TestPostgres> {
  const server = await startPostgresServer(bin);
  const postgres = await startPostgres({ dataDir: "", databaseUrl: server.url });
  const close = async () => {
    await postgres.stop();
    await server.stop();
  };
  return { postgres, close };
}
