import { HostError } from "./host-error.ts";
import { migrate } from "./postgres/migrate.ts";
import { openExecutor } from "./postgres/open-executor.ts";

/** @throws HostError when there is no database, or it refuses */
export async function migrateDatabase(databaseUrl: string | undefined): Promise<void> {
  if (databaseUrl === undefined || databaseUrl === "")
    throw new HostError("Set DATABASE_URL to the Postgres database that holds the log of reliable calls.");
  const executor = await openExecutor(databaseUrl);
  try {
    await migrate(executor);
  } catch (error) {
    // Not the whole error: it may quote the connection string, which holds a password.
    throw new HostError(`Cannot migrate: ${error instanceof Error ? error.message : "the database refused"}`);
  } finally {
    await executor.close();
  }
}
