import { checkAccess } from "../access/decide.ts";
import type { Identity } from "../access/identity.ts";
import type { Registry } from "../object/registry.ts";

/**
 * Whether a client may watch an object, by the rules of now.
 * @throws EdgeverseError `TYPE_NOT_FOUND`, `INVALID_ID`, `ACCESS_DENIED`, `UNAUTHENTICATED`
 */
export function checkMayWatch(registry: Registry, identity: Identity | null, type: string, id: string): void {
  const { access } = registry.type(type);
  registry.placement(type, id);
  checkAccess(access.watch, { kind: "client", ...(identity === null ? {} : { identity }) }, id);
}
