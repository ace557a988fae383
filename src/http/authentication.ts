import { type Authenticated, checkIdentity, expiryOf, type Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Caller } from "../object/call.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";

/**
 * Says for whom a request is made, by its credentials. `undefined`: it has none of the kind that this one knows. Credentials
 * that are bad end it: an `EdgeverseError` with `UNAUTHENTICATED`.
 */
export type Authenticator = (
  request: Request,
  env: Cloudflare.Env,
) => Authenticated | undefined | Promise<Authenticated | undefined>;

/** For whom a request is made; null for a client that is anonymous. @throws EdgeverseError `UNAUTHENTICATED` */
export type Authenticate = (request: Request) => Promise<Identity | null>;

/** Ms that all authenticators of a request may take. */
const WITHIN = 10_000;

/** Asks the authenticators in their order: the first that knows the credentials decides. */
export function authentication(
  authenticators: readonly Authenticator[],
  env: unknown,
  clock: Clock,
): Authenticate | undefined {
  if (authenticators.length === 0) return undefined;
  const late = () => new EdgeverseError("UNAVAILABLE", "Whoever calls could not be authenticated in time");
  const ask = async (request: Request) => {
    for (const authenticator of authenticators) {
      const identity = await authenticator(request, env as Cloudflare.Env);
      if (identity !== undefined) return checked(identity, clock.now());
    }
    // Not anonymous: whoever sends credentials wants to be known by them.
    if (request.headers.has("authorization"))
      throw new EdgeverseError("UNAUTHENTICATED", "These credentials are of no kind that this host takes");
    return null;
  };
  return (request) => within(clock, WITHIN, ask(request), late);
}

/** Clients have no say in what objects they are to be, so what does not fit comes from their credentials. */
function checked(given: Authenticated, now: number): Identity {
  let identity: Identity;
  try {
    identity = checkIdentity(given);
  } catch (error) {
    throw new EdgeverseError("UNAUTHENTICATED", (error as Error).message, { cause: error });
  }
  if ((expiryOf(identity) ?? Number.POSITIVE_INFINITY) > now) return identity;
  throw new EdgeverseError("UNAUTHENTICATED", "These credentials have expired");
}

const CLIENT: Caller = { kind: "client" };

/** The caller of whatever the request asks for. No header says it: only its credentials do. */
export async function callerOf(
  { authenticate }: { readonly authenticate: Authenticate | undefined },
  request: Request,
): Promise<Caller> {
  const identity = authenticate === undefined ? null : await authenticate(request);
  return identity === null ? CLIENT : { kind: "client", identity };
}
