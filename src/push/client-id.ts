import type { Random } from "../platform/ports.ts";

const GATE = /^g(0|[1-9]\d{0,3})$/;
const CLIENT = /^(g(?:0|[1-9]\d{0,3}))\.[0-9a-f]{32}$/;
const TOKEN = /^(g(?:0|[1-9]\d{0,3})\.[0-9a-f]{32})\.([0-9a-f]{64})$/;

/** Names of a deployment's gates. */
export function gateNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `g${index}`);
}

export function isGateName(name: string): boolean {
  return GATE.test(name);
}

/** A new client id: it names its gate, so nobody has to look for it. It is no secret. */
export function newClientId(gate: string, random: Random): string {
  return `${gate}.${hex(random)}`;
}

/** The gate of a client; undefined for what is no client id. */
export function gateOf(client: string): string | undefined {
  return CLIENT.exec(client)?.[1];
}

/** What nobody but the client itself knows. Two UUIDs: 244 bits of chance. */
export function newSecret(random: Random): string {
  return hex(random) + hex(random);
}

/** The client and the secret of a session token; undefined for what is none. */
export function parseToken(token: string): { readonly client: string; readonly secret: string } | undefined {
  const [, client, secret] = TOKEN.exec(token) ?? [];
  return client === undefined || secret === undefined ? undefined : { client, secret };
}

/** What is stored of a secret. It is long and random: a fast hash is enough, and comparing hashes tells nothing of it. */
export async function hashOf(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function hex(random: Random): string {
  return random.uuid().replaceAll("-", "");
}
