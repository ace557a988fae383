import type { LocalHost } from "./local-host.ts";
import { shortPath } from "./short-path.ts";

/** What a person wants to know when the host is ready, ending with a line to paste. */
export function banner(host: LocalHost): string {
  const rows = [
    ["url", host.url],
    // A token that somebody supplied is known to them, and standard output often ends in a log.
    ["admin token", host.adminTokenGiven ? "as given in EDGEVERSE_ADMIN_TOKEN" : host.adminToken],
    ["data folder", shortPath(host.dataDir)],
    ["postgres", host.postgres],
  ];
  const lines = rows.map(([title, value]) => `  ${title!.padEnd(12)}${value}`);
  return `Edgeverse is ready.

${lines.join("\n")}

  curl -X POST ${host.url}/api/v1/objects/call/Counter/hello/add -d '{"request":{"by":1}}'

Ctrl-C stops it.
`;
}
