import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { HostError } from "./host-error.ts";

/** A package of the project, found from its folder or, in a folder without packages, from here. */
export function requireFrom(project: string, name: string): NodeJS.Require | undefined {
  for (const from of [join(project, "package.json"), import.meta.filename])
    try {
      return createRequire(createRequire(from).resolve(`${name}/package.json`));
    } catch {
      // Not there, or no package that can be named so.
    }
  return undefined;
}

/**
 * The `require` of the project's own wrangler: what it bundles and runs with (`esbuild`, `workerd`, `miniflare`) is then what the
 * project deploys with, in one version.
 * @throws HostError when the project has no wrangler
 */
export function wranglerOf(project: string): NodeJS.Require {
  const wrangler = requireFrom(project, "wrangler");
  if (wrangler !== undefined) return wrangler;
  throw new HostError(`There is no wrangler in ${project}: run "npm install --save-dev wrangler"`);
}

/** The program `wrangler`, to be run by Node. */
export function wranglerProgram(project: string): string {
  return join(dirname(wranglerOf(project).resolve("wrangler/package.json")), "bin/wrangler.js");
}
