import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WorkerBindings } from "./bindings.ts";
import type { Launch } from "./workerd.ts";
import { CONFIG_CONSTANT, SOCKETS, type WorkerdConfigOptions, workerdConfig } from "./workerd-config.ts";

export interface PlainOptions extends Omit<WorkerdConfigOptions, "fromEnvironment" | "json"> {
  /** Folder with the bundle; the configuration is written beside it. */
  readonly folder: string;
  readonly bindings: WorkerBindings;
}

/** Makes ready a worker that needs nothing but workerd. */
export function launchPlain(options: PlainOptions): Launch {
  const { text, json } = options.bindings;
  const file = join(options.folder, "workerd.capnp");
  const config = workerdConfig({ ...options, json, fromEnvironment: Object.keys(text) });
  writeFileSync(file, config, { mode: 0o600 });
  return {
    args: ["--verbose", file, CONFIG_CONSTANT],
    sockets: SOCKETS,
    socketFiles: [options.controlSocket],
    env: text,
  };
}
