import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { HttpParts } from "../ports.ts";
import type { RouteDoc } from "../route.ts";

/** What an operator may do: look, change what can be changed back, or all. Each may do what those before it may. */
export const ADMIN_ROLES = ["viewer", "operator", "admin"] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** The tokens of each role, separated by commas: while one is replaced, both count. */
export type AdminTokens = Readonly<Partial<Record<AdminRole, string | undefined>>>;

/** Somebody whom a token lets in. */
export interface Admin {
  readonly role: AdminRole;
  /** For the audit: the role and the beginning of the token's hash, which tells tokens apart and gives none away. */
  readonly actor: string;
}

const encoder = new TextEncoder();

/** The tokens that a host has. */
export function adminTokens(parts: Pick<HttpParts, "adminToken" | "operatorToken" | "viewerToken">): AdminTokens {
  return { admin: parts.adminToken, operator: parts.operatorToken, viewer: parts.viewerToken };
}

/**
 * Lets an operator in ([ACC3]). The digest of what came is compared with that of each token, from beginning to end, so the
 * time it takes says nothing about them.
 * @throws EdgeverseError `NOT_FOUND` when no token is configured: there is no admin API; `UNAUTHENTICATED` otherwise
 */
export async function checkAdmin(request: Request, tokens: AdminTokens): Promise<Admin> {
  const known = listed(tokens);
  if (known.length === 0) throw new EdgeverseError("NOT_FOUND", "Nothing is served here");
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const actual = await digest(given ?? "");
  let role: AdminRole | undefined;
  for (const each of known) if (isSame(await digest(each.token), actual) && given !== undefined) role = each.role;
  if (role === undefined)
    throw new EdgeverseError("UNAUTHENTICATED", "This is for operators: send an admin token as bearer");
  return { role, actor: `${role} token ${hex(actual.subarray(0, 4))}` };
}

/**
 * Whether an operator may use a route. A page of another site may not change anything, whatever it sends: nothing but the
 * bearer token counts, and a browser says from where it comes.
 * @throws EdgeverseError `ACCESS_DENIED`
 */
export function checkRole({ role }: Admin, doc: RouteDoc, request: Request): void {
  const needed = roleOf(doc);
  if (ADMIN_ROLES.indexOf(role) < ADMIN_ROLES.indexOf(needed))
    throw new EdgeverseError("ACCESS_DENIED", `A token of the role ${role} can't do this: it needs the role ${needed}`);
  const origin = request.headers.get("origin");
  if (doc.method === "get" || origin === null || isHost(origin, request.url)) return;
  throw new EdgeverseError("ACCESS_DENIED", "Pages of other sites can't change anything here");
}

/** The least role that may use a route. */
export function roleOf({ method, role }: RouteDoc): AdminRole {
  return role ?? (method === "get" ? "viewer" : "operator");
}

function listed(tokens: AdminTokens): { readonly role: AdminRole; readonly token: string }[] {
  return ADMIN_ROLES.flatMap((role) =>
    (tokens[role] ?? "")
      .split(",")
      .map((token) => token.trim())
      .filter((token) => token !== "")
      .map((token) => ({ role, token })),
  );
}

/** The scheme is left out: a proxy in front may have ended TLS. */
function isHost(origin: string, url: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(url).host;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  let difference = 0;
  one.forEach((byte, index) => {
    difference |= byte ^ (other[index] as number);
  });
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
