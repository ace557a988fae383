import { HostError } from "./host-error.ts";
import type { HostOptions } from "./host-options.ts";

/** The call log's database as the local host sees it. */
export interface LocalPostgres {
  /** Connection string. */
  readonly url: string;
  /** Neon-protocol bridge for the worker; absent when the worker reaches the database itself (Neon). */
  readonly endpoint?: string | undefined;
  stop(): Promise<void>;
}

/** Starts or connects the database that the options ask for; `undefined` when they ask for none. */
export async function openPostgres(options: HostOptions, dataDir: string): Promise<LocalPostgres | undefined> {
  if (!options.postgres) return undefined;
  // Imported late: `--help`, a wrong option or a locked folder should answer at once.
  const { startPostgres } = await import("./postgres/index.ts");
  try {
    return await startPostgres({
      dataDir,
      ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
    });
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException; // "connection refused" on all addresses comes without a message
    const where = options.databaseUrl === undefined ? "the embedded Postgres" : describePostgres(options, dataDir);
    throw new HostError(`Cannot use ${where}: ${message || code}`);
  }
}

/** Says where the database is, without its password. */
export function describePostgres(options: HostOptions, dataDir: string): string {
  if (!options.postgres) return "none (--no-postgres): reliable calls are not logged";
  if (options.databaseUrl === undefined) return `embedded, ${dataDir}`;
  try {
    const { hostname, port, pathname } = new URL(options.databaseUrl);
    return `DATABASE_URL, ${hostname}${port === "" ? "" : `:${port}`}${pathname}`;
  } catch {
    return "DATABASE_URL";
  }
}
