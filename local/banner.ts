import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { LocalHost } from "./local-host.ts";
import type { ServedApi } from "./served-api.ts";
import { shortPath } from "./short-path.ts";

/**
 * What a person wants to know when the host is ready, ending with a line to paste.
 * @param api undefined where the worker's author put it elsewhere
 */
export function banner(host: LocalHost, api: ServedApi | undefined): string {
  const rows = [
    ["url", host.url],
    ["openapi", api?.openapi ?? "where your Worker puts it: see worker.md beside the guide"],
    ["guide", guide()],
    // A token that somebody supplied is known to them, and standard output often ends in a log.
    ["admin token", host.adminTokenGiven ? "as given in EDGEVERSE_ADMIN_TOKEN" : host.adminToken],
    ["data folder", shortPath(host.dataDir)],
    ["postgres", host.postgres],
  ];
  const lines = rows.map(([title, value]) => `  ${title!.padEnd(12)}${value}`);
  return `Edgeverse is ready.

${lines.join("\n")}
${api?.call === undefined ? "" : `\n  ${api.call}\n`}
Ctrl-C stops it.
`;
}

/** In the package, wherever it is installed. */
function guide(): string {
  const root = dirname(createRequire(import.meta.url).resolve("edgeverse/package.json"));
  return shortPath(join(root, "docs/guide.md"));
}
