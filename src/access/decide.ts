import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Who } from "./access.ts";
import type { Identity } from "./identity.ts";

/** Who asks. */
export interface Subject {
  readonly kind: "client" | "object" | "worker" | "system";
  readonly identity?: Identity;
}

/** What decides about a call, a creation or a deletion. */
export interface Step {
  /** Whether it is about this object; undefined when it is about all. */
  readonly matches: ((id: string) => boolean) | undefined;
  /** Objects, the Worker's own code and Edgeverse itself may. */
  readonly internal: boolean;
  /** Clients that may; undefined when none may. */
  readonly clients: Who | undefined;
  /** Nobody has said so of creations: a call that may run may create its object. */
  readonly implied: boolean;
  readonly from: "document" | "rule" | "method" | "class" | "default";
  /** Which rule of the settings document's, or of the host's. */
  readonly index?: number;
}

/** All that may decide, in order. The last one is about every object. */
export interface Steps {
  /** `Wallet.deposit`, `create a Wallet`: for the reasons. */
  readonly what: string;
  /** Which line of the class may say it where nothing is said, such as `"static access" of the class say it, …`. */
  readonly remedy: string;
  readonly steps: readonly Step[];
}

/** The step that decides. */
export function decisive({ steps }: Steps, id: string): Step {
  for (const step of steps) if (step.matches === undefined || step.matches(id)) return step;
  throw new Error("the last step is about every object");
}

/** @throws EdgeverseError `ACCESS_DENIED`, or `UNAUTHENTICATED` where an identity might help; whether the object is there has no say */
export function checkAccess(access: Steps, subject: Subject, id: string): void {
  const step = decisive(access, id);
  if (admits(step, subject, id)) return;
  throw denied(access, step, subject);
}

/** A call that may run may create its object, unless somebody has said who may. @throws EdgeverseError as `checkAccess` does */
export function checkCreation(access: Steps, subject: Subject, id: string): void {
  const step = decisive(access, id);
  if (step.implied || admits(step, subject, id)) return;
  throw denied(access, step, subject);
}

/**
 * Which objects a query may find: all of the type, or `"own"`, the one that has the caller's id. No rule for queries names
 * an id, so the first step is about every object.
 * @throws EdgeverseError as `checkAccess` does
 */
export function checkQuery(access: Steps, subject: Subject): "all" | "own" {
  const step = decisive(access, "");
  const { kind, identity } = subject;
  if (kind !== "client") {
    if (step.internal) return "all";
    throw denied(access, step, subject);
  }
  let own = false;
  for (let who = step.clients; who !== undefined; who = who.or) {
    if (!isOne({ ...who, owner: false }, identity, "")) continue;
    if (who.owner !== true) return "all";
    own = true;
  }
  if (own) return "own";
  throw denied(access, step, subject);
}

function admits({ clients, internal }: Step, { kind, identity }: Subject, id: string): boolean {
  if (kind !== "client") return internal;
  for (let who = clients; who !== undefined; who = who.or) if (isOne(who, identity, id)) return true;
  return false;
}

function isOne({ anonymous, roles, owner }: Who, identity: Identity | undefined, id: string): boolean {
  if (anonymous === true) return true;
  if (identity === undefined || (owner === true && identity.id !== id)) return false;
  return roles === undefined || roles.some((role) => identity.roles.includes(role));
}

function denied({ what, remedy }: Steps, { clients, from }: Step, { kind, identity }: Subject): EdgeverseError {
  if (kind !== "client")
    return new EdgeverseError("ACCESS_DENIED", `No object may ${what}: a rule of the host says so`);
  if (clients === undefined) {
    const why = from === "default" ? `: nothing says who may. Let ${remedy}` : "";
    return new EdgeverseError("ACCESS_DENIED", `No client may ${what}${why}`);
  }
  if (identity === undefined)
    return new EdgeverseError("UNAUTHENTICATED", `No anonymous client may ${what}: send credentials`);
  return new EdgeverseError("ACCESS_DENIED", `This client may not ${what}: it is for ${described(clients)}`);
}

/** "the object's owner, or one of the roles admin, support". */
export function described({ anonymous, roles, owner, or }: Who): string {
  const parts: string[] = [];
  if (owner === true) parts.push("the object's owner");
  if (roles !== undefined) parts.push(`${roles.length > 1 ? "one of the roles" : "the role"} ${roles.join(", ")}`);
  const all = anonymous === true ? "everybody" : parts.length === 0 ? "clients with an identity" : parts.join(" with ");
  return or === undefined ? all : `${all}, or ${described(or)}`;
}
