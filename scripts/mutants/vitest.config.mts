import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mergeConfig } from "vitest/config";
import node from "../../vitest.node.config.mts";
import type { Instrumented } from "./instrument.ts";

const { code } = JSON.parse(readFileSync(process.env["MUTANTS_CODE"] as string, "utf8")) as Instrumented;

export default mergeConfig(node, {
  root: join(import.meta.dirname, "../.."),
  plugins: [{ name: "mutants", enforce: "pre", load: (path: string) => code[path] }],
  test: {
    runner: join(import.meta.dirname, "runner.ts"),
    maxWorkers: 1,
    reporters: [],
    // A mutant's promises may fail when its test is over.
    dangerouslyIgnoreUnhandledErrors: true,
  },
});
