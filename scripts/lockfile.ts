/**
 * `npm run lockfile`: checks that package-lock.json has every platform's packages. `-- --restore` puts back what an
 * `npm install` has dropped, from the last commit or from the registry.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { findGaps, findRegistries, type LockEntries } from "./lockfile-gaps.ts";
import { type AskRegistry, restore } from "./lockfile-restore.ts";

const FILE = "package-lock.json";
const FIELDS = ["version", "dist.integrity", "license", "os", "cpu", "libc", "engines", "dependencies"];

interface Lockfile {
  packages: LockEntries;
}

const { values } = parseArgs({ options: { restore: { type: "boolean" } } });
const lockfile = JSON.parse(readFileSync(FILE, "utf8")) as Lockfile;

if (values.restore) {
  const earlier = JSON.parse(execFileSync("git", ["show", `HEAD:${FILE}`], { encoding: "utf8" })) as Lockfile;
  lockfile.packages = restore(lockfile.packages, earlier.packages, askRegistry);
  writeFileSync(FILE, `${JSON.stringify(lockfile, null, 2)}\n`);
}

const gaps = findGaps(lockfile.packages);
for (const { wantedBy, name, range, problem } of gaps)
  console.error(`${wantedBy} wants ${name}@${range}, which ${problem}`);
const registries = findRegistries(lockfile.packages);
for (const path of registries) console.error(`${path} names a registry`);
if (gaps.length > 0) console.error("Put them back with: npm run lockfile -- --restore");
if (gaps.length + registries.length > 0) process.exitCode = 1;
else console.log(`${FILE} has the packages of every platform.`);

function askRegistry(...[name, version]: Parameters<AskRegistry>): ReturnType<AskRegistry> {
  try {
    const said = execFileSync("npm", ["view", `${name}@${version}`, "--json", ...FIELDS], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { "dist.integrity": integrity, ...entry } = JSON.parse(said) as Record<string, unknown>;
    return { integrity, ...entry } as ReturnType<AskRegistry>;
  } catch {
    return undefined;
  }
}
