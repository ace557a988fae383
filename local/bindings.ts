import type { LocalPostgres } from "./local-postgres.ts";
import type { WorkerSettings } from "./worker-settings.ts";

export interface WorkerBindings {
  /** Values that may be secret. */
  readonly text: Readonly<Record<string, string>>;
  /** `vars` of the worker's file that are no text. */
  readonly json: Readonly<Record<string, unknown>>;
}

/**
 * Puts together what the worker finds in `env`: `vars` of its file, over them `.dev.vars`, over them `variables` of the
 * environment, over all what the host decides.
 */
export function workerBindings(
  settings: WorkerSettings,
  variables: Readonly<Record<string, string>>,
  adminToken: string,
  postgres: LocalPostgres | undefined,
): WorkerBindings {
  const text: Record<string, string> = {};
  const json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(settings.vars)) {
    if (typeof value === "string") text[name] = value;
    else if (variables[name] === undefined) json[name] = value;
  }
  Object.assign(text, variables, { EDGEVERSE_ADMIN_TOKEN: adminToken });
  if (postgres !== undefined) text["DATABASE_URL"] = postgres.url;
  if (postgres?.endpoint !== undefined) text["EDGEVERSE_SQL_ENDPOINT"] = postgres.endpoint;
  return { text, json };
}

/** Origins of the URLs among variables. Who runs the host named them, so workers may reach them on private addresses too. */
export function namedOrigins(variables: readonly unknown[]): string[] {
  const urls = variables.filter(
    (value) => typeof value === "string" && /^https?:\/\//.test(value) && URL.canParse(value),
  );
  return [...new Set(urls.map((url) => new URL(url as string).origin))];
}
