import type { SqlExecutor } from "./executor.ts";
import { NeonExecutor } from "./neon-executor.ts";
import { PgExecutor } from "./pg-executor.ts";

/** Whether `databaseUrl` is at Neon, which speaks SQL over HTTP itself. */
export function isNeon(databaseUrl: string): boolean {
  return URL.canParse(databaseUrl) && new URL(databaseUrl).hostname.endsWith(".neon.tech");
}

/** Opens a database by its connection string: Neon over HTTP, any other Postgres over its own protocol. */
export function openExecutor(databaseUrl: string): SqlExecutor {
  return isNeon(databaseUrl) ? new NeonExecutor(databaseUrl) : new PgExecutor({ databaseUrl });
}
