import { dirname, resolve } from "node:path";
import { checkCron } from "./cron.ts";
import { HostError } from "./host-error.ts";
import { shortPath } from "./short-path.ts";
import { ownClasses, readWranglerFile, type WranglerFile } from "./wrangler-file.ts";

/** What a host needs to know of a worker. The deployment and the local host read the same file, so they can't disagree. */
export interface WorkerSettings {
  readonly name: string;
  /** Folder of its file. */
  readonly project: string;
  /** Absolute path of the module that is the worker. */
  readonly main: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly durableObjects: readonly { readonly binding: string; readonly className: string }[];
  readonly classes: readonly DurableObjectClass[];
  readonly crons: readonly string[];
  /** `vars` of the file, and over them what `.dev.vars` or `.env` beside it hold. */
  readonly vars: Readonly<Record<string, unknown>>;
  readonly file: WranglerFile;
}

/** A Durable Object class that the worker itself exports. */
export interface DurableObjectClass {
  readonly className: string;
  readonly sqlite: boolean;
}

/**
 * Reads what a worker's file says.
 * @param environment one of the file's `[env.…]`
 * @throws HostError when the file is missing, can't be read, or lacks what a host needs
 */
export async function readWorkerSettings(path: string, environment: string | undefined): Promise<WorkerSettings> {
  const file = await readWranglerFile(path, environment);
  const { config, options } = file;
  const refuse = (reason: string) => new HostError(`${shortPath(path)} is not usable: ${reason}`);
  const { main, compatibility_date: compatibilityDate } = config;
  const crons = config.triggers.crons ?? [];
  if (main === undefined) throw refuse("it has no main, the module that is the worker");
  if (compatibilityDate === undefined) throw refuse("it has no compatibility_date");
  try {
    crons.forEach(checkCron);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  const classes = ownClasses(options);
  const homeless = classes.find(({ useSQLite }) => useSQLite === undefined);
  if (homeless !== undefined) {
    const { className } = homeless;
    throw refuse(`no migration names the class ${className}: add new_sqlite_classes = ["${className}"] to one`);
  }
  return {
    name: config.name ?? "worker",
    project: dirname(path),
    main: resolve(dirname(path), main),
    compatibilityDate,
    compatibilityFlags: config.compatibility_flags,
    durableObjects: config.durable_objects.bindings.map(({ name, class_name }) => ({
      binding: name,
      className: class_name,
    })),
    classes: classes.map(({ className, useSQLite }) => ({ className, sqlite: useSQLite === true })),
    crons,
    vars: options.bindings ?? {},
    file,
  };
}
