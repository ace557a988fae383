import type { SqlExecutor } from "./executor.ts";
import { needPackage } from "./optional-package.ts";

/** Whether `databaseUrl` is at Neon, which speaks SQL over HTTP itself. */
export function isNeon(databaseUrl: string): boolean {
  return URL.canParse(databaseUrl) && new URL(databaseUrl).hostname.endsWith(".neon.tech");
}

/**
 * Opens a database by its connection string: Neon over HTTP, any other Postgres over its own protocol.
 * @throws HostError when the package for that is not installed
 */
export async function openExecutor(databaseUrl: string): Promise<SqlExecutor> {
  if (isNeon(databaseUrl)) {
    const { NeonExecutor } = await import("./neon-executor.ts");
    return new NeonExecutor({ url: databaseUrl });
  }
  needPackage("pg", "A Postgres that is not at Neon");
  const { PgExecutor } = await import("./pg-executor.ts");
  return new PgExecutor({ databaseUrl });
}
