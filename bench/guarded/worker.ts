import { apiKeys, defineHost } from "edgeverse/cloudflare";
import { jwt } from "edgeverse/jwt";
import { Owned } from "./owned.ts";
import { RULES } from "./rules.ts";
import { AUDIENCE, ISSUER, SECRET } from "./tokens.ts";

const host = defineHost({
  objects: [Owned],
  authenticate: [apiKeys(), jwt({ issuer: ISSUER, audience: AUDIENCE, secret: () => SECRET })],
  access: RULES,
  // One of each kind. None is ever reached.
  limits: {
    clients: { per: "client", rate: 1_000_000 },
    objects: { per: "object", rate: 1_000_000 },
    adding: { per: "method", method: "add", rate: 1_000_000 },
  },
});

export default host.worker;
export const { Partition, Coordinator } = host;
