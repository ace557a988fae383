import { SignJWT } from "jose";
import type { RateGroup } from "../group.ts";
import { AUDIENCE, ISSUER, SECRET } from "../guarded/tokens.ts";
import type { Host } from "../host.ts";
import { addAsOwner, addOpen, IDS } from "../plans.ts";

const connections = 32;
const OPEN = "durable call, anonymous, open method";
const BY_TOKEN = "durable call by JWT and rules, one client";
const BY_TOKENS = "the same, 1,000 clients";
const BY_KEY = "durable call by API key and rules";

/** What it costs to know who calls, and to look whether it may: the same call of the same host, with and without. */
export const accessGroup: RateGroup = {
  kind: "rates",
  name: "access",
  title: `Who calls, and whether it may: ${connections} connections, 1,000 objects`,
  async cases(context) {
    const server = await context.guarded();
    const [player] = await tokens([{ id: "player", roles: ["player"] }]);
    const owners = await tokens(IDS.map((id) => ({ id, roles: [] })));
    const shared = { server, connections };
    return [
      { ...shared, name: OPEN, plan: addOpen },
      { ...shared, name: BY_TOKEN, plan: addAsOwner([player as string]) },
      { ...shared, name: BY_TOKENS, plan: addAsOwner(owners) },
      { ...shared, name: BY_KEY, plan: addAsOwner([await newKey(server)]) },
    ];
  },
  comparisons: [
    { of: BY_TOKEN, to: OPEN, atLeast: 0.9 },
    { of: BY_TOKENS, to: OPEN, atLeast: 0.9 },
    { of: BY_KEY, to: OPEN, atLeast: 0.9 },
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
