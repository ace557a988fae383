import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";

/** Where numbers come from; without it they say nothing. */
export function describeMachine() {
  const require = createRequire(import.meta.url);
  const { version } = require("workerd/package.json") as { version: string };
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    workerd: version,
    date: new Date().toISOString(),
  };
}

export type Machine = ReturnType<typeof describeMachine>;
