import { SignJWT } from "jose";
import type { Comparison } from "../compare.ts";
import type { RateGroup } from "../group.ts";
import { AUDIENCE, ISSUER, SECRET } from "../guarded/tokens.ts";
import type { Host } from "../host.ts";
import { addAsOwner, addOpen, IDS } from "../plans.ts";

const connections = 32;
const OPEN = "durable call, nobody asks who calls";
const RULED = "the same call of a host with rules";
const BY_TOKEN = "by JWT, with rules and limits, one client";
const BY_TOKENS = "by JWT, with rules and limits, 1,000 clients";
const BY_KEY = "by API key, with rules and limits";
const GUARDED = [BY_TOKEN, BY_TOKENS, BY_KEY];

/** What it costs to know who calls, and to look whether it may, and how often: the same call with and without. */
export const accessGroup: RateGroup = {
  kind: "rates",
  name: "access",
  title: `Who calls, whether it may, and how often: ${connections} connections, 1,000 objects`,
  async cases(context) {
    const [open, ruled] = [await context.guarded("open.toml"), await context.guarded("ruled.toml")];
    const server = await context.guarded("wrangler.toml");
    const [player] = await tokens([{ id: "player", roles: ["player"] }]);
    const owners = await tokens(IDS.map((id) => ({ id, roles: [] })));
    return [
      { server: open, connections, name: OPEN, plan: addOpen },
      { server: ruled, connections, name: RULED, plan: addOpen },
      { server, connections, name: BY_TOKEN, plan: addAsOwner([player as string]) },
      { server, connections, name: BY_TOKENS, plan: addAsOwner(owners) },
      { server, connections, name: BY_KEY, plan: addAsOwner([await newKey(server)]) },
    ];
  },
  comparisons: [
    { of: RULED, to: OPEN, atLeast: 0.95 },
    { of: RULED, to: OPEN, by: "cpuPerCall", atMost: 1.05 },
    ...GUARDED.flatMap((of): Comparison[] => [
      { of, to: OPEN, atLeast: 0.9 },
      { of, to: OPEN, by: "cpuPerCall", atMost: 1.1 },
    ]),
  ],
};

interface Client {
  readonly id: string;
  readonly roles: readonly string[];
}

function tokens(clients: readonly Client[]): Promise<string[]> {
  const key = new TextEncoder().encode(SECRET);
  const sign = ({ id, roles }: Client) =>
    new SignJWT({ roles: [...roles] })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(id)
      .setExpirationTime("1d")
      .sign(key);
  return Promise.all(clients.map(sign));
}

async function newKey({ port, adminToken }: Host): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/admin/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ identity: { id: "bench", roles: ["player"] } }),
  });
  if (response.status !== 201) throw new Error(`The host makes no API key: ${response.status}`);
  return ((await response.json()) as { key: string }).key;
}
