import * as z from "zod";

/** What an operator may do: look, change what can be changed back, or all. Each may do what those before it may. */
export const ADMIN_ROLES = ["viewer", "operator", "admin"] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** Which roles of identities are which role here. */
export type AdminRoles = Readonly<Partial<Record<AdminRole, readonly string[]>>>;

const names = z.array(z.string().min(1)).min(1).optional();
const schema = z.strictObject({ viewer: names, operator: names, admin: names });

/** Why this can't be used; undefined when it can. @param known whether the host has anything that gives identities */
export function adminRolesFault(roles: AdminRoles, known: boolean): string | undefined {
  if (!known) return "it names roles of identities, and there is no authenticate";
  const issue = schema.safeParse(roles).error?.issues[0];
  return issue === undefined ? undefined : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
