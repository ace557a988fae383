/** `edgeverse/jwt`: clients that authenticate with JSON Web Tokens. */
import { decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { checkIdentity, type Identity } from "../src/access/identity.ts";
import { parseDuration } from "../src/config/duration.ts";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";
import type { Authenticator } from "../src/http/authentication.ts";
import { type Keys, publicKeys, publishedKeys } from "./jwt/keys.ts";
import { VerifiedTokens } from "./jwt/verified-tokens.ts";

const WITH_SECRET = ["HS256", "HS384", "HS512"] as const;
const WITH_KEYS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;
export type JwtAlgorithm = (typeof WITH_SECRET)[number] | (typeof WITH_KEYS)[number];

export interface JwtOptions {
  /** What `iss` must be. A token of another issuer is left to the next authenticator. */
  readonly issuer: string;
  /** What `aud` must be, or have: one of these. */
  readonly audience: string | readonly string[];
  /** The issuer's public keys: where it publishes them, or the set itself. */
  readonly jwks?: string | JSONWebKeySet;
  /** The secret that tokens are signed with, in place of keys: 32 bytes at least. */
  readonly secret?: (env: Cloudflare.Env) => string | undefined;
  /** Default: all that fit the secret, or the keys. `none` never does. */
  readonly algorithms?: readonly JwtAlgorithm[];
  /** How far the clocks may differ; default `"30s"`. */
  readonly skew?: string;
  /** The claim that has the identity's id; default `sub`. */
  readonly id?: string;
  /** The claim that has its roles, as a list or as words in one text; default `roles`. Or a function of all claims. */
  readonly roles?: string | ((claims: Readonly<JWTPayload>) => readonly string[]);
  /** Claims that objects find in `this.context.identity.claims`; default: none. */
  readonly claims?: readonly string[];
}

/** Characters of a token. */
const LONGEST = 8_192;
const SHAPE = /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i;
/** Bytes of a secret: as many as the smallest hash has. */
const LEAST_SECRET = 32;

/**
 * Takes `Authorization: Bearer` with a token that the issuer has signed ([ACC4]).
 *
 * @throws Error naming the option that can't be used
 * @example
 * defineHost({
 *   objects: [Wallet],
 *   authenticate: jwt({ issuer: "https://id.example", audience: "shop", jwks: "https://id.example/jwks.json" }),
 * });
 */
export function jwt(options: JwtOptions): Authenticator {
  const { issuer, audience } = options;
  const { algorithms, skew } = checked(options);
  const shared = options.jwks === undefined ? undefined : keysOf(options.jwks);
  const known = new WeakMap<object, { readonly keys: Keys | Uint8Array; readonly tokens: VerifiedTokens }>();

  return async (request, env) => {
    const header = request.headers.get("authorization") ?? "";
    const [, token] = header.length > LONGEST + 16 ? [] : (SHAPE.exec(header) ?? []);
    if (token === undefined) {
      if (header.length > LONGEST + 16) throw refused(`it is over ${LONGEST} characters`);
      return undefined;
    }
    let state = known.get(env);
    const verified = state?.tokens.get(token);
    if (verified !== undefined) return verified;
    if (claimsOf(token).iss !== issuer) return undefined;
    if (state === undefined) {
      state = { keys: shared ?? secretOf(options, env), tokens: new VerifiedTokens() };
      known.set(env, state);
    }
    const { payload } = await verify(token, state.keys, {
      issuer,
      audience: typeof audience === "string" ? audience : [...audience],
      algorithms: [...algorithms],
      clockTolerance: skew / 1_000,
      requiredClaims: ["exp"],
    });
    const expiresAt = (payload.exp as number) * 1_000 + skew;
    const identity = identityOf(payload, expiresAt, options);
    state.tokens.add(token, identity, expiresAt);
    return identity;
  };
}

function claimsOf(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw refused("it is malformed");
  }
}

type VerifyOptions = Parameters<typeof jwtVerify>[2];

async function verify(token: string, keys: Keys | Uint8Array, options: VerifyOptions) {
  try {
    return await (typeof keys === "function" ? jwtVerify(token, keys, options) : jwtVerify(token, keys, options));
  } catch (error) {
    if (error instanceof EdgeverseError) throw error;
    if (error instanceof errors.JWTExpired) throw refused("it has expired");
    if (error instanceof errors.JWTClaimValidationFailed) throw refused(`its claim ${error.claim} does not fit`);
    if (error instanceof errors.JOSEError) throw refused("its signature, algorithm or key does not fit");
    // A key that the platform can't use.
    throw refused("it can't be verified");
  }
}

function identityOf(
  payload: JWTPayload,
  expiresAt: number,
  { id = "sub", roles = "roles", claims = [] }: JwtOptions,
): Identity {
  const kept = claims.filter((name) => Object.hasOwn(payload, name)).map((name) => [name, payload[name]] as const);
  try {
    return checkIdentity({
      expiresAt,
      id: Object.hasOwn(payload, id) ? payload[id] : undefined,
      roles: typeof roles === "function" ? [...roles(payload)] : rolesOf(payload, roles),
      ...(kept.length === 0 ? {} : { claims: Object.fromEntries(kept) }),
    });
  } catch (error) {
    throw refused(error instanceof EdgeverseError ? error.message : "its claims have no roles that can be read");
  }
}

function rolesOf(payload: JWTPayload, name: string): unknown {
  const roles = Object.hasOwn(payload, name) ? payload[name] : [];
  return typeof roles === "string" ? roles.split(" ").filter((role) => role !== "") : roles;
}

function refused(why: string): EdgeverseError {
  return new EdgeverseError("UNAUTHENTICATED", `The token can't be taken: ${why}`);
}

function checked({ issuer, audience, jwks, secret, algorithms, skew = "30s" }: JwtOptions) {
  const wrong = (why: string) => new Error(`Cannot use jwt(): ${why}`);
  if (issuer === "" || audience.length === 0) throw wrong("it needs an issuer and an audience");
  if ((jwks === undefined) === (secret === undefined)) throw wrong("it needs jwks or a secret, and not both");
  const fitting: readonly JwtAlgorithm[] = jwks === undefined ? WITH_SECRET : WITH_KEYS;
  const unfit = algorithms?.find((each) => !fitting.includes(each));
  if (unfit !== undefined) throw wrong(`the algorithm ${unfit} does not fit; use ${fitting.join(", ")}`);
  if (algorithms?.length === 0) throw wrong("it lets no algorithm be");
  const ms = parseDuration(skew);
  if (ms === undefined || ms > 600_000) throw wrong(`the skew "${skew}" must be a duration of 10 minutes at most`);
  return { algorithms: algorithms ?? fitting, skew: ms };
}

function keysOf(jwks: string | JSONWebKeySet): Keys {
  if (typeof jwks !== "string") return publicKeys(jwks);
  const url = URL.canParse(jwks) ? new URL(jwks) : undefined;
  const local = url?.hostname === "localhost" || url?.hostname === "127.0.0.1";
  if (url !== undefined && (url.protocol === "https:" || (local && url.protocol === "http:")))
    return publishedKeys(url);
  throw new Error(`Cannot use jwt(): jwks "${jwks}" must be a URL with https, or the set of keys itself`);
}

function secretOf({ secret }: JwtOptions, env: Cloudflare.Env): Uint8Array {
  const bytes = new TextEncoder().encode(secret?.(env) ?? "");
  if (bytes.length >= LEAST_SECRET) return bytes;
  throw new Error(`Cannot use jwt(): the secret has ${bytes.length} bytes; it needs ${LEAST_SECRET} at least`);
}
