import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";

/** Gives the key that a token names. */
export type Keys = JWTVerifyGetKey;

/** Ms after which a set of keys is fetched again, and for which it goes on to count while it can't be. */
const FRESH = 10 * 60_000;
const STALE = 24 * 60 * 60_000;
/** Ms between two attempts, whatever tokens come. */
const PAUSE = 30_000;
const ANSWER_WITHIN = 5_000;
const MOST_BYTES = 256 * 1024;

/** The public keys among those of a set: what is verified with them can't have been signed with them. */
export function publicKeys({ keys }: JSONWebKeySet): Keys {
  return createLocalJWKSet({ keys: keys.filter(({ kty }) => kty === "RSA" || kty === "EC" || kty === "OKP") });
}

/**
 * The keys that an issuer publishes, fetched when they are needed: when there are none, when they are old, and when a token
 * names another one, as after a rotation. While they can't be fetched, those that are known go on to count for a day.
 *
 * No request waits for what another one fetches: in Workers that other one may end before it has.
 */
export function publishedKeys(url: URL): Keys {
  let known: { readonly keys: Keys; readonly at: number } | undefined;
  let tried = Number.NEGATIVE_INFINITY;
  let under = 0;

  const refresh = async (): Promise<Keys> => {
    tried = Date.now();
    under++;
    try {
      const keys = publicKeys(await fetched(url));
      known = { keys, at: Date.now() };
      return keys;
    } finally {
      under--;
    }
  };
  const orAway = (cause: unknown): never => {
    throw away(cause);
  };
  const may = () => Date.now() - tried >= PAUSE;

  /** Those to go by now. */
  const present = async (): Promise<Keys> => {
    if (known === undefined) return refresh().catch(orAway);
    const age = Date.now() - known.at;
    if (age < FRESH || (age < STALE && !may())) return known.keys;
    if (!may()) throw away();
    const { keys } = known;
    return refresh().catch((cause: unknown) => (age < STALE ? keys : orAway(cause)));
  };

  return async (header, token) => {
    const keys = await present();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // It may be a new one.
      if (may()) return await (await refresh().catch(orAway))(header, token);
      // Whether it is one, nobody can tell if the last attempt has failed, or goes on.
      if (under > 0 || tried > (known?.at ?? 0)) throw away(error);
      throw error;
    }
  };
}

function away(cause?: unknown): EdgeverseError {
  return new EdgeverseError("UNAVAILABLE", "The keys of the tokens' issuer can't be fetched", { cause, retryAfter: 5 });
}

async function fetched(url: URL): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(ANSWER_WITHIN),
  });
  const text = await response.text();
  if (!response.ok || text.length > MOST_BYTES) throw new Error(`${url} answers ${response.status}`);
  const set = JSON.parse(text) as Partial<JSONWebKeySet> | null;
  if (!Array.isArray(set?.keys)) throw new Error(`${url} has no set of keys`);
  return set as JSONWebKeySet;
}
