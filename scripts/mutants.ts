/**
 * `npm run mutants -- <room> [file…]`: changes the protocol's code in every small way that Stryker knows, and runs a room's
 * tests on each change. A change that no test notices is a gap in the tests, or code that does nothing: docs/mutants.md.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { instrument } from "./mutants/instrument.ts";
import { Journal } from "./mutants/journal.ts";
import { report } from "./mutants/report.ts";
import { ROOMS } from "./mutants/rooms.ts";
import { run } from "./mutants/run.ts";

const ROOT = join(import.meta.dirname, "..");
/** Stryker, and what runs leave; none of it in git. */
const FOLDER = join(ROOT, ".mutants");
const TOOL = join(FOLDER, "tool");

const [name = "", ...files] = parseArgs({ allowPositionals: true }).positionals;
const room = ROOMS[name];
if (room === undefined) {
  console.error(`Which room? ${Object.keys(ROOMS).join(", ")}`);
  process.exit(1);
}
setPriority(15);
if (!existsSync(join(TOOL, "node_modules"))) {
  cpSync(join(import.meta.dirname, "mutants/tool"), TOOL, { recursive: true });
  execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: TOOL, stdio: "inherit" });
}

const patterns = files.length > 0 ? files.map((file) => `${room.folder}/${file}.ts`) : [`${room.folder}/**/*.ts`];
const paths = globSync(patterns, { cwd: ROOT }).map((path) => join(ROOT, path));
const instrumented = await instrument(ROOT, TOOL, paths.sort());
const code = join(FOLDER, `${name}.json`);
const journal = join(FOLDER, `${name}.journal`);
writeFileSync(code, JSON.stringify(instrumented));
writeFileSync(journal, "");
const tests = [...new Set(room.tests.flatMap((pattern) => globSync(pattern, { cwd: ROOT }).sort()))];
console.log(`${instrumented.mutants.length} mutants in ${paths.length} files, ${tests.length} files of tests`);
await run(ROOT, tests, { code, journal }, new Journal(journal));
console.log(report(instrumented, new Journal(journal)));
