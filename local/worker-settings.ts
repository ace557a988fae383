import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "smol-toml";
import * as z from "zod";
import { checkCron } from "./cron.ts";
import { HostError } from "./host-error.ts";

/** The part of `wrangler.toml` that a host needs; the deployment and the local host read the same file, so they can't disagree. */
export interface WorkerSettings {
  /** Absolute path of the module that is the worker. */
  readonly main: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly durableObjects: readonly { readonly binding: string; readonly className: string }[];
  readonly crons: readonly string[];
  readonly vars: Readonly<Record<string, unknown>>;
}

const wranglerFile = z.object({
  main: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()).default([]),
  durable_objects: z
    .object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) })
    .default({ bindings: [] }),
  triggers: z.object({ crons: z.array(z.string()).default([]) }).default({ crons: [] }),
  vars: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Reads a `wrangler.toml`. Not with wrangler's own reader: importing wrangler costs a second of start-up, this a few milliseconds.
 * @throws HostError when the file is missing, isn't TOML, or lacks what a host needs
 */
export function readWorkerSettings(file: string): WorkerSettings {
  const read = wranglerFile.safeParse(parseToml(file));
  if (!read.success) throw new HostError(`${file} is not usable: ${z.prettifyError(read.error).replaceAll("\n", " ")}`);
  const { data } = read;
  checkCrons(file, data.triggers.crons);
  return {
    main: resolve(dirname(file), data.main),
    compatibilityDate: data.compatibility_date,
    compatibilityFlags: data.compatibility_flags,
    durableObjects: data.durable_objects.bindings.map(({ name, class_name }) => ({
      binding: name,
      className: class_name,
    })),
    crons: data.triggers.crons,
    vars: data.vars,
  };
}

function checkCrons(file: string, crons: readonly string[]): void {
  try {
    for (const cron of crons) checkCron(cron);
  } catch (error) {
    throw new HostError(`${file} is not usable: ${(error as Error).message}`);
  }
}

function parseToml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new HostError(`Cannot read ${file}: ${(error as Error).message}`);
  }
}
