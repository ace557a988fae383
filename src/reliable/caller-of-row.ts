import * as z from "zod";
import { checkIdentity, type Identity } from "../access/identity.ts";
import type { Caller } from "../object/call.ts";
import { causeIn } from "./caused-calls.ts";

const dueReminder = z.object({ name: z.string(), due: z.number(), missed: z.number() });

/**
 * Who made the call of a row in the log: the identity goes on with the call, and so do the rules for it. Whoever can write
 * rows may leave the caller out, or say something else there: such a row is the system's own.
 */
export function callerOfRow(text: string | null): Caller {
  const caller = parsed(text);
  if (typeof caller !== "object" || caller === null) return { kind: "system" };
  const { kind, type, id, identity, reminder } = caller as Readonly<Record<string, unknown>>;
  const who = identity === undefined ? undefined : identityOf(identity);
  const due = dueReminder.safeParse(reminder);
  const cause = causeIn(caller);
  const known = {
    ...(who === undefined ? {} : { identity: who }),
    ...(due.success ? { reminder: due.data } : {}),
    ...(cause === undefined ? {} : { cause }),
  };
  if (kind === "client" || kind === "worker") return { kind, ...known };
  if (kind === "object" && typeof type === "string" && typeof id === "string") return { kind, type, id, ...known };
  return { kind: "system", ...known };
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function identityOf(value: unknown): Identity | undefined {
  try {
    return checkIdentity(value);
  } catch {
    return undefined;
  }
}
