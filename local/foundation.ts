import { configFromEnvironment } from "../src/config/config.ts";
import { policyOf } from "../src/coordinator/policy.ts";
import { type WorkerBindings, workerBindings } from "./bindings.ts";
import type { Cleanup } from "./cleanup.ts";
import { adminTokenIn, type DataFolder, openDataFolder } from "./data-folder.ts";
import { freePort } from "./free-port.ts";
import { HostError } from "./host-error.ts";
import type { HostOptions } from "./host-options.ts";
import type { HostFacts } from "./local-host.ts";
import { describePostgres, openPostgres } from "./local-postgres.ts";
import { readWorkerSettings, type WorkerSettings } from "./worker-settings.ts";

/** After a kill -9 of the host, how long its worker may take to give the port free. */
const ORPHAN_PATIENCE = 2_000;

/** What a worker stands on, whichever program runs it. */
export interface Foundation<Made> {
  /** What was made meanwhile. */
  readonly made: Made;
  readonly folder: DataFolder;
  readonly port: number;
  readonly facts: HostFacts;
  readonly bindings: WorkerBindings;
}

/** The worker to serve, and those that its bindings lead to. */
export type Workers = readonly [WorkerSettings, ...WorkerSettings[]];

/** @throws HostError when a file can't be used */
export async function readWorkers({ configFiles, environment }: HostOptions): Promise<Workers> {
  const read = (file: string) => readWorkerSettings(file, environment);
  const [first, ...further] = configFiles;
  return Promise.all([read(first), ...further.map(read)]);
}

/**
 * Locks the data folder, finds the port, the admin token and the database. What must be undone is put on `cleanup`.
 * @param log hears of trouble with the database later on
 * @param meanwhile work that needs the folder and not the database, done while that starts
 */
export async function layFoundation<Made>(
  options: HostOptions,
  [settings]: Workers,
  cleanup: Cleanup,
  log: (line: string) => void,
  meanwhile: (folder: DataFolder) => Promise<Made>,
): Promise<Foundation<Made>> {
  checkConfiguration({ ...settings.vars, ...options.variables });
  const folder = openDataFolder(options.dataDir);
  cleanup.add(() => folder.close());
  const port = await freePort(options.host, options.port, folder.takenOver ? ORPHAN_PATIENCE : 0);
  const givenToken = options.adminToken ?? secret(settings, "EDGEVERSE_ADMIN_TOKEN");
  const adminToken = givenToken ?? adminTokenIn(folder.path);
  const database = options.postgres
    ? { folder: folder.postgres, url: options.databaseUrl ?? secret(settings, "DATABASE_URL") }
    : undefined;
  const opening = openPostgres(database, log);
  // Also when `meanwhile` fails first: a database that has begun to start is waited for and stopped.
  cleanup.add(async () => (await opening.catch(() => undefined))?.stop());
  const [postgres, made] = await Promise.all([opening, meanwhile(folder)]);
  return {
    made,
    folder,
    port,
    facts: {
      url: `http://${urlHost(options.host)}:${port}`,
      adminToken,
      adminTokenGiven: givenToken !== undefined,
      dataDir: folder.path,
      postgres: describePostgres(database),
    },
    bindings: workerBindings(settings, options.variables, adminToken, postgres),
  };
}

/** One of the variables that the environment may also have, from the worker's file or from `.dev.vars`. */
function secret({ vars }: WorkerSettings, name: string): string | undefined {
  const value = vars[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** @throws HostError naming the settings the worker could not start with: better here than in every answer */
function checkConfiguration(variables: Readonly<Record<string, unknown>>): void {
  try {
    policyOf(configFromEnvironment(variables));
  } catch (error) {
    throw new HostError((error as Error).message);
  }
}

/** The name under which this machine itself reaches an address it listens on. */
function urlHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
