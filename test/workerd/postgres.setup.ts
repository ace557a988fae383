import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { PostgresCallLog } from "../../durable/postgres-log.ts";
import { startPostgres } from "../../local/postgres/index.ts";

/** An embedded Postgres behind the Neon bridge for the tests that run inside workerd. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), "edgeverse-workerd-"));
  const postgres = await startPostgres({ dataDir });
  // It starts with its first statement: no test is to wait for that.
  await new PostgresCallLog({ ...postgres, timeoutMs: 60_000 }).ping();
  project.provide("databaseUrl", postgres.url);
  project.provide("sqlEndpoint", postgres.endpoint ?? "");
  return async () => {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}

declare module "vitest" {
  interface ProvidedContext {
    databaseUrl: string;
    sqlEndpoint: string;
  }
}
