import { cpSync, existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { authorEnvironment, emptyFolder, run } from "./machine.ts";

const installed = (name: string) => join(inject("repository"), "node_modules", name);

/** What a careful author asks of the compiler; without the types of Node and Cloudflare. */
const STRICT = {
  target: "es2022",
  strict: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
  types: [] as string[],
};
export const BUNDLER = { module: "esnext", moduleResolution: "bundler" };
export const NODENEXT = { module: "nodenext", moduleResolution: "nodenext" };
/** For a Worker: Cloudflare's types, and nothing of a browser's. */
export const WORKER = { lib: ["es2022"], types: [installed("@cloudflare/workers-types")] };
/** To run it. Declarations of drizzle name databases that nobody installed: those can't be checked. */
export const EMIT = { ...NODENEXT, noEmit: false, outDir: "out", skipLibCheck: true };

/** A folder with the sources in `author/`, in which nothing is installed but edgeverse and zod. */
export class Author {
  readonly folder = emptyFolder("author");
  readonly env = authorEnvironment(this.folder);

  /** @returns what npm said */
  install(edgeverse: string): Promise<string> {
    cpSync(join(import.meta.dirname, "author"), this.folder, { recursive: true });
    writeFileSync(join(this.folder, "package.json"), '{ "name": "author", "private": true, "type": "module" }');
    return this.run("npm", "install", edgeverse, "zod@4.6.6");
  }

  /** As if the author had installed a package that the repository has too: it is large. */
  lend(name: string): void {
    const to = join(this.folder, "node_modules", name);
    if (!existsSync(to)) symlinkSync(installed(name), to);
  }

  /** @returns what it printed */
  run(command: string, ...args: string[]): Promise<string> {
    return run(command, args, { cwd: this.folder, env: this.env });
  }

  /** @returns what the compiler has to say: nothing, when all is well */
  compile(files: readonly string[], options: Record<string, unknown>): Promise<string> {
    const project = { compilerOptions: { ...STRICT, ...options }, files };
    writeFileSync(join(this.folder, "tsconfig.json"), JSON.stringify(project));
    return this.run(process.execPath, installed("typescript/bin/tsc"), "-p", ".");
  }
}
