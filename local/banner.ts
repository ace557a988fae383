import type { HostOptions } from "./host-options.ts";
import type { LocalHost } from "./local-host.ts";
import { describePostgres } from "./local-postgres.ts";
import { shortPath } from "./short-path.ts";

/** What a person wants to know when the host is ready, ending with a line to paste. */
export function banner(host: LocalHost, options: HostOptions): string {
  const rows = [
    ["url", host.url],
    // A token that somebody supplied is known to them, and standard output often ends in a log.
    ["admin token", options.adminToken === undefined ? host.adminToken : "as given in EDGEVERSE_ADMIN_TOKEN"],
    ["data folder", shortPath(options.dataDir)],
    ["postgres", describePostgres(options, shortPath(host.postgresDir))],
  ];
  const lines = rows.map(([title, value]) => `  ${title!.padEnd(12)}${value}`);
  return `Edgeverse is ready.

${lines.join("\n")}

  curl -X POST ${host.url}/api/v1/objects/call/Counter/hello/add -d '{"request":{"by":1}}'

Ctrl-C stops it.
`;
}
