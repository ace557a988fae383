import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { checkProjectName } from "./project-name.ts";
import { readTemplate } from "./template.ts";
import { UsageError } from "./usage-error.ts";

export interface ProjectOptions {
  /** Absolute path of the project's folder. */
  readonly folder: string;
  /** Version or path of edgeverse; default: the version that this package belongs to. */
  readonly edgeverse: string | undefined;
  /** The Node that runs here. */
  readonly node: string;
}

/** What a project's tools need; an older Node gets {@link NODE} as a package, which npm's scripts then use. */
const NODE_NEEDED = [22, 13] as const;
const NODE = "24.21.0";

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
}

/**
 * Writes a new project.
 *
 * @returns whether it brings its own Node
 * @throws UsageError when the folder or its name can't be used; nothing is written then
 */
export function writeProject({ folder, edgeverse, node }: ProjectOptions): { readonly bringsNode: boolean } {
  checkEmpty(folder);
  const files = readTemplate();
  const manifest = JSON.parse(files.get("package.json") ?? "") as Manifest;
  const name = basename(folder);
  checkProjectName(name, [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]);

  manifest.dependencies["edgeverse"] = edgeverse === undefined ? `^${ownVersion()}` : versionOrFile(edgeverse);
  const bringsNode = isOlder(node);
  if (bringsNode) {
    manifest.devDependencies["node"] = NODE;
    manifest.allowScripts["node"] = true;
  }
  files.set("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  for (const [path, text] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll("{{name}}", name));
  }
  return { bringsNode };
}

/** A repository that was just begun is empty too. */
function checkEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) throw new UsageError(`${folder} is a file: name another folder`);
  const there = readdirSync(folder).filter((entry) => entry !== ".git");
  if (there.length > 0) throw new UsageError(`${folder} is not empty (${there[0]} is there): name another folder`);
}

function versionOrFile(edgeverse: string): string {
  return existsSync(edgeverse) ? `file:${resolve(edgeverse)}` : edgeverse;
}

function isOlder(node: string): boolean {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  return major < NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor < NODE_NEEDED[1]);
}

function ownVersion(): string {
  const manifest = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
