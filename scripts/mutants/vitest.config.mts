import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mergeConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import node from "../../vitest.node.config.mts";
import type { Instrumented } from "./instrument.ts";

const { code } = JSON.parse(readFileSync(process.env["MUTANTS_CODE"] as string, "utf8")) as Instrumented;

const ROOT = join(import.meta.dirname, "../..");
const order = (process.env["MUTANTS_TESTS"] as string).split(",").map((path) => join(ROOT, path));

/** Runs the files of tests as the room lists them. */
class AsListed extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((left, right) => order.indexOf(left.moduleId) - order.indexOf(right.moduleId));
  }
}

export default mergeConfig(node, {
  root: ROOT,
  plugins: [{ name: "mutants", enforce: "pre", load: (path: string) => code[path] }],
  test: {
    runner: join(import.meta.dirname, "runner.ts"),
    maxWorkers: 1,
    // It knows a module by its source, not by the mutants in it.
    fsModuleCache: false,
    sequence: { sequencer: AsListed },
    reporters: [],
    // A mutant's promises may fail when its test is over.
    dangerouslyIgnoreUnhandledErrors: true,
  },
});
