import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Journal, SHORTEST_LIMIT } from "./journal.ts";

/**
 * Runs the tests on the mutants. A mutant that hangs the process is ended with it, and counts as killed; the next process
 * goes on where the journal ends.
 */
export async function run(
  root: string,
  tests: readonly string[],
  files: { code: string; journal: string },
  journal: Journal,
) {
  for (;;) {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const config = join(import.meta.dirname, "vitest.config.mts");
    const child = spawn(process.execPath, [vitest, "run", "--config", config, ...tests], {
      cwd: root,
      env: { ...process.env, MUTANTS_CODE: files.code, MUTANTS_JOURNAL: files.journal, MUTANTS_TESTS: tests.join() },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (data) => {
      said += data;
    });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    let hung: string | undefined;
    while ((await Promise.race([ended, pause(1_000, "on")])) === "on") {
      hung = hangs(journal, files.journal);
      if (hung === undefined) continue;
      child.kill("SIGKILL");
      await ended;
      journal.add({ kind: "killed", mutant: hung });
      break;
    }
    if (hung !== undefined) continue;
    if (said !== "") console.error(said);
    return;
  }
}

/** The mutant that has been on trial for longer than its limit. */
function hangs(journal: Journal, file: string): string | undefined {
  const waited = Date.now() - statSync(file).mtimeMs;
  if (waited < SHORTEST_LIMIT) return undefined;
  const last = journal.entries().at(-1);
  return last?.kind === "try" && waited > last.limit ? last.mutant : undefined;
}
