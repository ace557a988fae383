import type { TestProject } from "vitest/node";
import { startEmbedded } from "../support/local-postgres.ts";

/** An embedded Postgres behind the Neon bridge for the tests that run inside workerd. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { postgres, close } = await startEmbedded();
  project.provide("databaseUrl", postgres.url);
  project.provide("sqlEndpoint", postgres.endpoint ?? "");
  return close;
}

declare module "vitest" {
  interface ProvidedContext {
    databaseUrl: string;
    sqlEndpoint: string;
  }
}
