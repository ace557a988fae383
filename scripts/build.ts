import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Makes `dist/`: what `exports` points at, with types and source maps. npm runs it after every install (so that a folder can be installed) and before it packs. */
const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const tsc = join(root, "node_modules/typescript/bin/tsc");

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
// The local host applies them from there.
cpSync(join(root, "migrations"), join(dist, "migrations"), { recursive: true });
