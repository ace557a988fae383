import type { EdgeverseError } from "../errors/edgeverse-error.ts";
import { checkAccess, decisive, described, type Step, type Steps, type Subject } from "./decide.ts";

/** A decision, and what decided. */
export interface Explanation {
  readonly allowed: boolean;
  /** What the caller is told. */
  readonly code?: "ACCESS_DENIED" | "UNAUTHENTICATED";
  readonly reason?: string;
  readonly rule: {
    /** A rule of the live settings or of the host, the method's own options, `static access` of the class, or none of these. */
    readonly from: Step["from"];
    /** Its place among the rules there, from 0. */
    readonly index?: number;
    /** Which clients it lets in; null when none. */
    readonly clients: string | null;
    /** Whether it lets in objects, and the Worker's own code. */
    readonly internal: boolean;
  };
}

/** Decides as a call would be decided, and says by what. */
export function explain(access: Steps, subject: Subject, id: string): Explanation {
  const { from, index, clients, internal } = decisive(access, id);
  const rule = {
    from,
    ...(index === undefined ? {} : { index }),
    clients: clients === undefined ? null : described(clients),
    internal,
  };
  try {
    checkAccess(access, subject, id);
    return { allowed: true, rule };
  } catch (error) {
    const { code, message } = error as EdgeverseError;
    return { allowed: false, code: code === "UNAUTHENTICATED" ? code : "ACCESS_DENIED", reason: message, rule };
  }
}
