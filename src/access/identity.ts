import * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Whom a call is made for: authenticated once, and then the same through every hop ([ACC2]). */
export interface Identity {
  /** Names whoever it is: a user, a service. What `{ owner: true }` compares with an object's id. */
  readonly id: string;
  readonly roles: readonly string[];
  /** What else the host wants its objects to know. JSON. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** An identity as an authenticator gives it. */
export interface Authenticated extends Identity {
  /** Ms since the epoch: when the credentials end that it comes from, and with them a connection. Objects don't see it. */
  readonly expiresAt?: number;
}

/** Bytes of JSON of an identity: it is sent and stored with every call. */
export const MAX_IDENTITY = 4_096;

const schema = z.strictObject({
  id: z.string().min(1),
  roles: z.array(z.string().min(1)),
  claims: z.record(z.string(), z.unknown()).optional(),
  expiresAt: z.number().optional(),
});

const encoder = new TextEncoder();
/** Those that were made here: authenticators give the same one again and again. */
const made = new WeakSet<object>();
const expiries = new WeakMap<Identity, number>();
const credentials = new WeakMap<Identity, string>();

/**
 * A copy of an identity, as JSON has it, which nobody changes: it crosses to other processes, and is kept with reliable calls.
 * @throws EdgeverseError `INVALID_ARGUMENT` saying what is wrong with it
 */
export function checkIdentity(identity: unknown): Identity {
  if (typeof identity === "object" && identity !== null && made.has(identity)) return identity as Identity;
  const parsed = schema.safeParse(identity);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] as z.core.$ZodIssue;
    throw unfit(path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`);
  }
  const { id, roles, claims, expiresAt } = parsed.data;
  const text = textOf({ id, roles, ...(claims === undefined ? {} : { claims }) });
  if (text.length > MAX_IDENTITY || encoder.encode(text).length > MAX_IDENTITY)
    throw unfit(`it is over ${MAX_IDENTITY} bytes of JSON; leave out claims that no object reads`);
  const copy = frozen(JSON.parse(text)) as Identity;
  made.add(copy);
  if (expiresAt !== undefined) expiries.set(copy, expiresAt);
  return copy;
}

/** When the credentials of an identity end, as its authenticator says; ms since the epoch. Only this process knows it. */
export function expiryOf(identity: Identity | null): number | undefined {
  return identity === null ? undefined : expiries.get(identity);
}

/** Names the credentials of an identity that was checked, so that they can be revoked; only this process knows it. */
export function withCredential(identity: Identity, credential: string): Identity {
  credentials.set(identity, credential);
  return identity;
}

export function credentialOf(identity: Identity | null): string | undefined {
  return identity === null ? undefined : credentials.get(identity);
}

function frozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

function textOf(identity: Identity): string {
  try {
    return JSON.stringify(identity);
  } catch {
    throw unfit("its claims are not JSON");
  }
}

function unfit(why: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", `Cannot use the identity: ${why}`);
}
