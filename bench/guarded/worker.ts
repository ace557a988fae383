import { apiKeys, defineHost } from "edgeverse/cloudflare";
import { jwt } from "edgeverse/jwt";
import { Owned } from "./owned.ts";
import { AUDIENCE, ISSUER, SECRET } from "./tokens.ts";

const host = defineHost({
  objects: [Owned],
  authenticate: [apiKeys(), jwt({ issuer: ISSUER, audience: AUDIENCE, secret: () => SECRET })],
  // Rules as a host might have them; none of them decides about the calls that are measured.
  access: [
    { type: "Owned", id: "test-*", access: "REJECT" },
    { type: "Owned", id: "*-archived", access: "INTERNAL" },
    { type: "*", method: "reset*", access: "ALLOW", roles: ["admin"] },
  ],
});

export default host.worker;
export const { Partition, Coordinator } = host;
