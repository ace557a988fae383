import { EdgeverseError } from "edgeverse";
import { apiKeys, defineHost } from "edgeverse/cloudflare";
import { Room } from "./room.ts";

/** Serves the client's tests. A token is an API key, a name, or "stale". */
export const host = defineHost({
  objects: [Room],
  access: [{ type: "*", access: "ALLOW" }],
  push: { topics: { "room/*": {} } },
  authenticate: [
    apiKeys(),
    ({ headers }) => {
      const cookie = /user=(\w+)/.exec(headers.get("cookie") ?? "")?.[1];
      const token = headers.get("authorization")?.slice("Bearer ".length) ?? cookie;
      if (token === "stale") throw new EdgeverseError("UNAUTHENTICATED", "This token has ended");
      return token === undefined ? undefined : { id: token, roles: [] };
    },
  ],
});

export default host.worker;
export const { Partition, Coordinator, Gate } = host;
