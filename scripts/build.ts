/** Makes `dist/`, what the package's `exports` point at: modules, their types and their source maps. Run by npm as `prepare`. */
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.build.json")],
  {
    stdio: "inherit",
  },
);
// The command applies them from there.
cpSync(join(root, "migrations"), join(dist, "migrations"), { recursive: true });
