import { HostError } from "./host-error.ts";
import { shortPath } from "./short-path.ts";

/** The call log's database as the local host sees it. */
export interface LocalPostgres {
  /** Connection string. */
  readonly url: string;
  /** Neon-protocol bridge for the worker; absent when the worker reaches the database itself (Neon). */
  readonly endpoint?: string | undefined;
  stop(): Promise<void>;
}

/** Which database the call log is to be in. */
export interface DatabaseChoice {
  /** Connection string of a database of the user's. */
  readonly url: string | undefined;
  /** Where the embedded one lies when there is no `url`. */
  readonly folder: string;
}

/**
 * Connects a database, or makes the embedded one ready to start; `undefined` when there is to be none.
 * @param log hears when the embedded one can't be started later
 */
export async function openPostgres(
  database: DatabaseChoice | undefined,
  log: (line: string) => void,
): Promise<LocalPostgres | undefined> {
  if (database === undefined) return undefined;
  // Imported late: a wrong option or a locked folder should be answered at once.
  const { startPostgres } = await import("./postgres/index.ts");
  try {
    return await startPostgres({
      dataDir: database.folder,
      databaseUrl: database.url,
      onTrouble: (message) => log(`The log of reliable calls waits for the embedded Postgres: ${message}`),
    });
  } catch (cause) {
    if (cause instanceof HostError) throw cause;
    const { message, code } = cause as NodeJS.ErrnoException; // "connection refused" on all addresses comes without a message
    const where = database.url === undefined ? "the embedded Postgres" : describePostgres(database);
    throw new HostError(`Cannot use ${where}: ${message || code}`);
  }
}

/** Says where the database is, without its password. */
export function describePostgres(database: DatabaseChoice | undefined): string {
  if (database === undefined) return "none (--no-postgres): reliable calls are not logged";
  if (database.url === undefined) return `embedded, ${shortPath(database.folder)}, starts when it is needed`;
  try {
    const { hostname, port, pathname } = new URL(database.url);
    return `DATABASE_URL, ${hostname}${port === "" ? "" : `:${port}`}${pathname}`;
  } catch {
    return "DATABASE_URL";
  }
}
