import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GuardedChild, type GuardedChildOptions, startGuardedChild } from "./guarded-child.ts";
import { wranglerOf } from "./tools.ts";
import { CONFIG_CONSTANT, SOCKETS, type WorkerdConfigOptions, workerdConfig } from "./workerd-config.ts";
import { readWorkerdLog } from "./workerd-log.ts";

/** What workerd itself reads from the environment of the host. RUST_BACKTRACE stays out: it slows workerd several times. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

export interface WorkerdOptions extends Omit<WorkerdConfigOptions, "fromEnvironment"> {
  /** Folder with the bundle; the configuration is written beside it. */
  readonly folder: string;
  /** Text bindings of the worker, secrets among them. */
  readonly bindings: Readonly<Record<string, string>>;
  /** What the worker and workerd have to say. */
  log(text: string): void;
}

/** A run of workerd. */
export interface WorkerdRun {
  readonly child: GuardedChild;
  /** Resolves when the worker is loaded and all sockets listen. */
  readonly listening: Promise<void>;
}

/** Writes the configuration and returns what starts a workerd with it, any number of times. */
export function prepareWorkerd(options: WorkerdOptions): () => WorkerdRun {
  const file = join(options.folder, "workerd.capnp");
  writeFileSync(file, workerdConfig({ ...options, fromEnvironment: Object.keys(options.bindings) }), { mode: 0o600 });
  const env: Record<string, string> = {};
  for (const name of INHERITED) if (process.env[name] !== undefined) env[name] = process.env[name];
  Object.assign(env, options.bindings);
  const onLine = (line: string) => {
    const said = readWorkerdLog(line);
    if (said !== undefined) options.log(said);
  };
  return () => {
    rmSync(options.controlSocket, { force: true }); // workerd leaves its socket behind and can't bind over it.
    return startWorkerd(options.worker.project, ["--verbose", file, CONFIG_CONSTANT], SOCKETS, {
      env,
      cwd: options.folder,
      onLine,
    });
  };
}

/** Starts the project's `workerd serve` with a configuration that has these sockets. */
export function startWorkerd(
  project: string,
  config: readonly string[],
  sockets: readonly string[],
  options: Pick<GuardedChildOptions, "env" | "cwd" | "onLine">,
): WorkerdRun {
  const silent = new Set(sockets);
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  const child = startGuardedChild(workerdProgram(project), ["serve", "--control-fd=3", ...config], {
    ...options,
    channel: "lines",
    onMessage(message) {
      const { event, socket } = JSON.parse(message) as { event: string; socket?: string };
      if (event === "listen" && silent.delete(socket ?? "") && silent.size === 0) resolve();
    },
  });
  return { child, listening };
}

function workerdProgram(project: string): string {
  const { default: path } = wranglerOf(project)("workerd") as { default: string };
  return path;
}
