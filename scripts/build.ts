import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes `dist/` of both packages: what `exports` point at, with types and source maps, and the program of `create/`. npm
 * runs it after every install, so that the folder itself can be installed, and before it packs.
 */
const root = join(import.meta.dirname, "..");
const at = (path: string) => join(root, path);

function compile(folder: string): void {
  rmSync(at(join(folder, "dist")), { recursive: true, force: true });
  const args = [at("node_modules/typescript/bin/tsc"), "-p", at(join(folder, "tsconfig.build.json"))];
  execFileSync(process.execPath, args, { stdio: "inherit" });
}

compile(".");
// The command finds them there.
cpSync(at("migrations"), at("dist/migrations"), { recursive: true });
cpSync(at("local/python/runtime.py"), at("dist/local/python/runtime.py"));

// npm makes it a program when it installs; a build after that would unmake it.
chmodSync(at("dist/local/cli.js"), 0o755);

compile("create");
cpSync(at("LICENSE"), at("create/LICENSE"));
