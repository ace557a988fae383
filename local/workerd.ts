import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type GuardedChild, startGuardedChild } from "./guarded-child.ts";
import { CONFIG_CONSTANT, type WorkerdConfigOptions, workerdConfig } from "./workerd-config.ts";

/** What workerd itself reads from the environment of the host. RUST_BACKTRACE stays out: it slows workerd several times. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

export interface WorkerdOptions extends Omit<WorkerdConfigOptions, "fromEnvironment"> {
  /** Folder with the bundle; the configuration is written beside it. */
  readonly folder: string;
  /** Text bindings of the worker, secrets among them. */
  readonly bindings: Readonly<Record<string, string>>;
  onLine(line: string): void;
}

/** Writes the configuration and returns what starts a workerd with it, any number of times. */
export function prepareWorkerd(options: WorkerdOptions): () => GuardedChild {
  const file = join(options.folder, "workerd.capnp");
  writeFileSync(file, workerdConfig({ ...options, fromEnvironment: Object.keys(options.bindings) }), { mode: 0o600 });
  const env: Record<string, string> = {};
  for (const name of INHERITED) if (process.env[name] !== undefined) env[name] = process.env[name];
  Object.assign(env, options.bindings);
  return () => {
    rmSync(options.controlSocket, { force: true }); // workerd leaves its socket behind and can't bind over it.
    return startGuardedChild(workerdBinary(), ["serve", file, CONFIG_CONSTANT], {
      env,
      cwd: options.folder,
      onLine: options.onLine,
    });
  };
}

function workerdBinary(): string {
  const { default: path } = createRequire(import.meta.url)("workerd") as { default: string };
  return path;
}
