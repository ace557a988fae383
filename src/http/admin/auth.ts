import type { Identity } from "../../access/identity.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { hex, isSame, sha256 } from "../../platform/digest.ts";
import type { HttpParts } from "../ports.ts";
import type { RouteDoc } from "../route.ts";
import { ADMIN_ROLES, type AdminRole, type AdminRoles } from "./roles.ts";

/** The tokens of each role, separated by commas: while one is replaced, both count. */
type AdminTokens = Readonly<Partial<Record<AdminRole, string | undefined>>>;

/** Somebody whom a token lets in, or an identity. */
export interface Admin {
  readonly role: AdminRole;
  /**
   * For the audit: the role, and the beginning of the token's hash, which tells tokens apart and gives none away, or the
   * identity's id.
   */
  readonly actor: string;
}

/** What of a host says who may use its admin API. */
export type AdminDoor = Pick<HttpParts, "adminToken" | "operatorToken" | "viewerToken" | "adminRoles" | "authenticate">;

/** The tokens that a host has. */
function tokensOf({ adminToken, operatorToken, viewerToken }: AdminDoor): AdminTokens {
  return { admin: adminToken, operator: operatorToken, viewer: viewerToken };
}

/**
 * Lets an operator in ([ACC3]): by a token, or as an identity with a role that the host names.
 * @throws EdgeverseError `NOT_FOUND` when nothing could let anybody in: there is no admin API; `UNAUTHENTICATED`, `ACCESS_DENIED`
 */
export async function checkAdmin(request: Request, door: AdminDoor): Promise<Admin> {
  const { adminRoles, authenticate } = door;
  const byRoles = adminRoles !== undefined && authenticate !== undefined;
  const known = listed(tokensOf(door));
  if (known.length === 0 && !byRoles) throw new EdgeverseError("NOT_FOUND", "Nothing is served here");
  const byToken = await holder(request, known);
  if (byToken !== undefined) return byToken;
  const wanted = "send an admin token as bearer";
  if (!byRoles) throw new EdgeverseError("UNAUTHENTICATED", `This is for operators: ${wanted}`);
  const identity = await authenticate(withoutCookies(request));
  if (identity === null)
    throw new EdgeverseError("UNAUTHENTICATED", `This is for operators: ${wanted}, or your credentials`);
  const admin = adminOf(identity, adminRoles);
  if (admin !== undefined) return admin;
  throw new EdgeverseError("ACCESS_DENIED", "This is for operators: no role of this identity is one of theirs");
}

/** The operator whose token a request has, if it has one. */
export async function tokenHolder(request: Request, door: AdminDoor): Promise<Admin | undefined> {
  return holder(request, listed(tokensOf(door)));
}

/** The operator that an identity is, if its roles say so. */
export function adminOf({ id, roles }: Identity, adminRoles: AdminRoles | undefined): Admin | undefined {
  const role = ADMIN_ROLES.findLast((each) => adminRoles?.[each]?.some((name) => roles.includes(name)));
  return role === undefined ? undefined : { role, actor: `${role} identity ${id}` };
}

/**
 * The digest of what came is compared with that of each token, from beginning to end, so the time it takes says nothing about
 * them.
 */
async function holder(request: Request, known: readonly Token[]): Promise<Admin | undefined> {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined) return undefined;
  const actual = await sha256(given);
  let role: AdminRole | undefined;
  for (const each of known) if (isSame(await sha256(each.token), actual)) role = each.role;
  return role === undefined ? undefined : { role, actor: `${role} token ${hex(actual.subarray(0, 4))}` };
}

/** What a browser sends by itself, also for pages of other sites, is no credential here. */
function withoutCookies({ url, headers }: Request): Request {
  const kept = new Headers(headers);
  kept.delete("cookie");
  return new Request(url, { headers: kept });
}

/**
 * Whether an operator may use a route. A page of another site may not change anything, whatever it sends: nothing but the
 * bearer token counts, and a browser says from where it comes.
 * @throws EdgeverseError `ACCESS_DENIED`
 */
export function checkRole({ role }: Admin, doc: RouteDoc, request: Request): void {
  const needed = roleOf(doc);
  if (ADMIN_ROLES.indexOf(role) < ADMIN_ROLES.indexOf(needed))
    throw new EdgeverseError("ACCESS_DENIED", `The role ${role} can't do this: it needs the role ${needed}`);
  const origin = request.headers.get("origin");
  if (doc.method === "get" || origin === null || isHost(origin, request.url)) return;
  throw new EdgeverseError("ACCESS_DENIED", "Pages of other sites can't change anything here");
}

/** The least role that may use a route. */
export function roleOf({ method, role }: RouteDoc): AdminRole {
  return role ?? (method === "get" ? "viewer" : "operator");
}

interface Token {
  readonly role: AdminRole;
  readonly token: string;
}

function listed(tokens: AdminTokens): Token[] {
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
