/**
 * `npm run mutants -- <room> [file…]`: changes the protocol's code in every small way that Stryker knows, and runs a room's
 * tests on each change. A change that no test notices is a gap in the tests, or code that does nothing: docs/mutants.md.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

interface Room {
  /** What is changed. */
  readonly folder: string;
  /** What must notice. Not the simulation, nor what else takes many seconds: each test runs for hundreds of changes. */
  readonly tests: readonly string[];
}

const partition = (...names: string[]) => names.map((name) => `test/partition/${name}.test.ts`);

const ROOMS: Record<string, Room> = {
  placement: { folder: "src/placement", tests: ["test/placement/!(explore).test.ts"] },
  reliable: { folder: "src/reliable", tests: ["test/reliable/*.test.ts"] },
  router: { folder: "src/router", tests: ["test/router/*.test.ts"] },
  storage: {
    folder: "src/partition/storage",
    tests: partition(
      "ownership*",
      "change-tracker",
      "row-digest",
      "*commit*",
      "old-schema",
      "*storage*",
      "state-loss",
      "reshard",
    ),
  },
  calls: { folder: "src/partition/calls", tests: partition("reliable-*", "hand-off", "*calls*") },
  moves: {
    folder: "src/partition/moves",
    tests: partition("moves", "move-*", "late-messages", "hand-off", "reshard*", "copy-pace", "gate-restart"),
  },
  turns: {
    folder: "src/partition/turns",
    tests: partition(
      "turn*",
      "mailbox",
      "deadlines",
      "deadlock*",
      "activations",
      "abandoned-turns",
      "create",
      "*memory*",
    ),
  },
};

const ROOT = join(import.meta.dirname, "..");
/** Stryker, its copies of the project, and its reports; none of it in git. */
const FOLDER = join(ROOT, ".stryker-tmp");
const STRYKER = join(FOLDER, "tool");

const [name = "", ...files] = parseArgs({ allowPositionals: true }).positionals;
const room = ROOMS[name];
if (room === undefined) {
  console.error(`Which room? ${Object.keys(ROOMS).join(", ")}`);
  process.exit(1);
}
setPriority(constants.priority.PRIORITY_LOW);
if (!existsSync(join(STRYKER, "node_modules"))) {
  cpSync(join(import.meta.dirname, "stryker"), STRYKER, { recursive: true });
  execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: STRYKER, stdio: "inherit" });
}

const options = {
  plugins: ["@stryker-mutator/vitest-runner"],
  testRunner: "vitest",
  vitest: { configFile: "vitest.node.config.mts", related: false },
  mutate: files.length > 0 ? files.map((file) => `${room.folder}/${file}.ts`) : [`${room.folder}/**/*.ts`],
  // What an error says is for people, and SQL that is empty fails every test.
  mutator: { excludedMutations: ["StringLiteral"] },
  testFiles: room.tests,
  coverageAnalysis: "perTest",
  ignoreStatic: true,
  concurrency: 1,
  timeoutMS: 2_000,
  reporters: ["clear-text", "progress-append-only", "html"],
  clearTextReporter: { logTests: false, reportTests: false },
  htmlReporter: { fileName: join(FOLDER, `${name}.html`) },
  cleanTempDir: "always",
  // TypeScript 7 has no interface to read it with. Tests need none.
  tsconfigFile: "none",
  disableTypeChecks: false,
};
const config = join(FOLDER, `${name}.json`);
writeFileSync(config, JSON.stringify(options, null, 2));
const stryker = join(STRYKER, "node_modules/@stryker-mutator/core/bin/stryker.js");
const { status } = spawnSync(process.execPath, [stryker, "run", config], { cwd: ROOT, stdio: "inherit" });
process.exitCode = status ?? 1;
