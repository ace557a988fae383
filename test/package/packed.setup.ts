import { rmSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { emptyFolder, run } from "./machine.ts";

export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

/** A tarball as `npm publish` would send it. */
export interface Packed {
  readonly tarball: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly PackedFile[];
}

declare module "vitest" {
  interface ProvidedContext {
    /** The repository's own folder. */
    repository: string;
    edgeverse: Packed;
    /** The package behind `npm create edgeverse`. */
    create: Packed;
  }
}

const ROOT = join(import.meta.dirname, "../..");

/** Packs what would be published, once for all files of this folder. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = emptyFolder("packed");
  project.provide("repository", ROOT);
  project.provide("edgeverse", await pack(ROOT, folder));
  project.provide("create", await pack(join(ROOT, "create"), folder, "--ignore-scripts")); // Built with the first.
  return () => rmSync(folder, { recursive: true, force: true });
}

async function pack(cwd: string, folder: string, ...flags: string[]): Promise<Packed> {
  const quiet = ["--json", "--foreground-scripts=false", "--loglevel=error"];
  const args = ["pack", ...quiet, "--pack-destination", folder, ...flags];
  const [packed] = JSON.parse(await run("npm", args, { cwd })) as (Packed & { filename: string })[];
  if (packed === undefined) throw new Error(`npm packed nothing in ${cwd}`);
  return { ...packed, tarball: join(folder, packed.filename) };
}
