import { migrate } from "./postgres/migrate.ts";
import { openExecutor } from "./postgres/open-executor.ts";

/** `npm run migrate`: brings the database at `DATABASE_URL` to the present schema. Harmless when it is there already. */
const databaseUrl = process.env["DATABASE_URL"];
if (databaseUrl === undefined || databaseUrl === "") {
  process.stderr.write("Set DATABASE_URL to the Postgres database that holds the log of reliable calls.\n");
  process.exit(1);
}
const executor = openExecutor(databaseUrl);
try {
  await migrate(executor);
  process.stdout.write("The database is up to date.\n");
} catch (error) {
  // Not the whole error: it may quote the connection string, which holds a password.
  process.stderr.write(`Cannot migrate: ${error instanceof Error ? error.message : "the database refused"}\n`);
  process.exitCode = 1;
} finally {
  await executor.close();
}
