import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  base64url,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { type JwtOptions, jwt } from "../../workers/jwt.ts";

const SECRET = "a secret of thirty-two bytes, or more";
const ISSUER = "https://id.example";
const CLAIMS = { iss: ISSUER, aud: "shop", sub: "ann", roles: ["player"] };
const now = () => Math.floor(Date.now() / 1_000);
const bytes = (text: string) => new TextEncoder().encode(text);

const pairs = {
  RS256: await generateKeyPair("RS256"),
  PS256: await generateKeyPair("PS256"),
  ES256: await generateKeyPair("ES256"),
  EdDSA: await generateKeyPair("EdDSA"),
};
type Algorithm = keyof typeof pairs;
const another = await generateKeyPair("ES256");

const signed = (payload: JWTPayload, key: CryptoKey | Uint8Array, alg: string, kid?: string) =>
  new SignJWT(payload).setProtectedHeader(kid === undefined ? { alg } : { alg, kid }).sign(key);
const token = (changes: JWTPayload = {}) => signed({ ...CLAIMS, exp: now() + 60, ...changes }, bytes(SECRET), "HS256");

const secret = (): string => SECRET;
const env = {} as Cloudflare.Env;
const withSecret = (options: Partial<JwtOptions> = {}) => jwt({ issuer: ISSUER, audience: "shop", secret, ...options });
const request = (authorization?: string) =>
  new Request("http://host/", authorization === undefined ? {} : { headers: { authorization } });

/** The identity that a header gives, or the code and reason it is refused with. */
async function answer(authenticator: ReturnType<typeof jwt>, authorization?: string) {
  try {
    return await authenticator(request(authorization), env);
  } catch (error) {
    const { code, message } = EdgeverseError.from(error);
    return `${code} ${message.replace("The token can't be taken: ", "")}`;
  }
}

describe("a token that a secret has signed", () => {
  test.each(["HS256", "HS384", "HS512"])("[ACC4] is taken: %s", async (alg) => {
    const long = "s".repeat(64);
    const it = jwt({ issuer: ISSUER, audience: ["app", "shop"], secret: () => long });
    const text = await signed({ ...CLAIMS, exp: now() + 60 }, bytes(long), alg);
    expect(await answer(it, `Bearer ${text}`)).toEqual({ id: "ann", roles: ["player"] });
  });

  test("[ACC4] gives the identity that the options name, and no claim that they don't", async () => {
    const it = withSecret({ id: "email", roles: "scope", claims: ["tenant", "__proto__", "missing"] });
    const text = await token({ email: "a@b.c", scope: "read  write", tenant: "t1", secretThing: 1 });
    const identity = { id: "a@b.c", roles: ["read", "write"], claims: { tenant: "t1" } };
    expect(await answer(it, `bearer ${text}`)).toEqual(identity);
    const nested = withSecret({ roles: ({ realm }) => (realm as { roles: string[] }).roles });
    expect(await answer(nested, `Bearer ${await token({ realm: { roles: ["a"] } })}`)).toMatchObject({ roles: ["a"] });
    expect(await answer(nested, `Bearer ${await token()}`)).toMatch(/^UNAUTHENTICATED .*roles/);
  });

  test("[ACC4] is refused when it is expired, not valid yet, or without an end; clocks may differ a little", async () => {
    const it = withSecret();
    expect(await answer(it, `Bearer ${await token({ exp: now() - 60 })}`)).toBe("UNAUTHENTICATED it has expired");
    expect(await answer(it, `Bearer ${await token({ nbf: now() + 60 })}`)).toContain("claim nbf");
    expect(await answer(it, `Bearer ${await token({ exp: undefined as never })}`)).toContain("claim exp");
    expect(await answer(it, `Bearer ${await token({ exp: now() - 20, nbf: now() + 20 })}`)).toMatchObject({
      id: "ann",
    });
    expect(await answer(withSecret({ skew: "0s" }), `Bearer ${await token({ exp: now() - 20 })}`)).toContain("expired");
  });

  test.each([
    ["another audience", { aud: "bank" }, "claim aud"],
    ["no audience", { aud: undefined }, "claim aud"],
    ["no subject", { sub: undefined }, "id: "],
    ["an empty subject", { sub: "" }, "id: "],
    ["roles that are none", { roles: 7 }, "roles: "],
    ["a role that is no text", { roles: [null] }, "roles.0"],
    ["claims that are too large", { sub: "a".repeat(4_100) }, "4096 bytes"],
  ])("[ACC4] is refused with %s", async (_, claims, why) => {
    expect(await answer(withSecret(), `Bearer ${await token(claims as JWTPayload)}`)).toMatch(
      new RegExp(`^UNAUTHENTICATED .*${why}`),
    );
  });

  test("[ACC4] is refused when it is forged: no algorithm, another key, changed claims, a cut signature", async () => {
    const it = withSecret();
    const good = await token();
    const [header = "", , signature = ""] = good.split(".");
    const none = new UnsecuredJWT({ ...CLAIMS, exp: now() + 60 }).encode();
    const claims = base64url.encode(JSON.stringify({ ...CLAIMS, exp: now() + 60, roles: ["admin"] }));
    const forged = [
      none,
      `${base64url.encode('{"alg":"None"}')}.${claims}.${signature}`,
      `${base64url.encode('{"alg":"none"}')}.${claims}.${signature}`,
      `${header}.${claims}.${signature}`,
      good.slice(0, -3),
      `${good.split(".").slice(0, 2).join(".")}.`,
      await signed({ ...CLAIMS, exp: now() + 60 }, bytes(`${SECRET}x`), "HS256"),
      await signed({ ...CLAIMS, exp: now() + 60 }, pairs.ES256.privateKey, "ES256"),
    ];
    for (const each of forged) expect(await answer(it, `Bearer ${each}`), each).toMatch(/^UNAUTHENTICATED /);
    expect(await answer(withSecret({ algorithms: ["HS512"] }), `Bearer ${good}`)).toMatch(/^UNAUTHENTICATED /);
  });

  test("[ACC4] is not looked at twice within a minute, and never after its end", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const it = withSecret({ skew: "0s" });
    const text = await token({ exp: now() + 30 });
    const first = await answer(it, `Bearer ${text}`);
    expect(await answer(it, `Bearer ${text}`)).toBe(first);
    vi.setSystemTime(Date.now() + 31_000);
    expect(await answer(it, `Bearer ${text}`)).toBe("UNAUTHENTICATED it has expired");
  });
});

describe("other credentials", () => {
  test("[ACC4] are left to the next authenticator: none, another kind, another issuer", async () => {
    const it = withSecret();
    const theirs = await token({ iss: "https://other.example" });
    for (const each of [
      undefined,
      "",
      "Basic YTpi",
      "Bearer ev_key",
      "Bearer a.b",
      "Bearer a.b.c.d",
      `Bearer ${theirs}`,
    ])
      expect(await answer(it, each)).toBeUndefined();
  });

  test("[ACC4] are refused when they are malformed, or too large to be looked at", async () => {
    for (const each of ["Bearer a.b.c", `Bearer ${base64url.encode("{}")}.bm8.c`])
      expect(await answer(withSecret(), each)).toBe("UNAUTHENTICATED it is malformed");
    expect(await answer(withSecret(), `Bearer ${await token({ fill: "x".repeat(9_000) })}`)).toContain("over 8192");
    expect(await answer(withSecret(), `Bearer ${"x".repeat(100_000)}`)).toContain("over 8192");
  });
});

describe("keys that the issuer publishes", () => {
  let server: Server;
  let set: JSONWebKeySet;
  let status: number;
  let asked: number;
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  const published = (options: Partial<JwtOptions> = {}) =>
    jwt({ issuer: ISSUER, audience: "shop", jwks: url(), ...options });
  const jwk = async (alg: Algorithm, kid: string) => ({ ...(await exportJWK(pairs[alg].publicKey)), kid, alg });
  const with_ = (alg: Algorithm, kid: string, claims: JWTPayload = {}) =>
    signed({ ...CLAIMS, exp: now() + 3_600, ...claims }, pairs[alg].privateKey, alg, kid);
  const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    set = { keys: [await jwk("ES256", "one")] };
    [status, asked] = [200, 0];
    server = createServer((_, response) => {
      asked++;
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(set));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => {
    vi.useRealTimers();
    server.closeAllConnections();
    server.close();
  });

  test.each(["RS256", "PS256", "ES256", "EdDSA"] as const)("[ACC4] verify what was signed with %s", async (alg) => {
    set = { keys: [await jwk(alg, "one")] };
    expect(await answer(published(), `Bearer ${await with_(alg, "one")}`)).toEqual({ id: "ann", roles: ["player"] });
    const fixed = jwt({ issuer: ISSUER, audience: "shop", jwks: set });
    expect(await answer(fixed, `Bearer ${await with_(alg, "one")}`)).toEqual({ id: "ann", roles: ["player"] });
    const other = published({ algorithms: ["ES512"] });
    expect(await answer(other, `Bearer ${await with_(alg, "one")}`)).toMatch(/^UNAUTHENTICATED /);
  });

  test("[ACC4] are no secret: what is signed with their own text is refused, and secrets in the set are no keys", async () => {
    const text = await exportSPKI(pairs.RS256.publicKey);
    set = { keys: [await jwk("RS256", "one"), { kty: "oct", k: base64url.encode(SECRET), kid: "two", alg: "HS256" }] };
    const it = published();
    for (const [key, kid] of [
      [text, "one"],
      [SECRET, "two"],
      [JSON.stringify(set.keys[0]), "one"],
    ] as const) {
      const forged = await signed({ ...CLAIMS, exp: now() + 60 }, bytes(key), "HS256", kid);
      expect(await answer(it, `Bearer ${forged}`)).toMatch(/^UNAUTHENTICATED /);
    }
    const stranger = await signed({ ...CLAIMS, exp: now() + 60 }, another.privateKey, "ES256", "one");
    expect(await answer(it, `Bearer ${stranger}`)).toMatch(/^UNAUTHENTICATED /);
  });

  test("[ACC4] are fetched once for many tokens, and again when they are old", async () => {
    const it = published();
    for (const sub of ["ann", "bob", "eve"]) {
      const text = await with_("ES256", "one", { sub });
      expect(await answer(it, `Bearer ${text}`)).toMatchObject({ id: sub });
    }
    expect(asked).toBe(1);
    later(11 * 60_000);
    expect(await answer(it, `Bearer ${await with_("ES256", "one")}`)).toMatchObject({ id: "ann" });
    expect(asked).toBe(2);
  });

  test("[ACC4] may change: a new one is looked for when a token names it, twice a minute at most", async () => {
    const it = published();
    expect(await answer(it, `Bearer ${await with_("ES256", "one")}`)).toMatchObject({ id: "ann" });
    set = { keys: [await jwk("EdDSA", "two")] };
    later(31_000);
    expect(await answer(it, `Bearer ${await with_("EdDSA", "two")}`)).toMatchObject({ id: "ann" });
    expect(await answer(it, `Bearer ${await with_("ES256", "one", { jti: "2" })}`)).toMatch(/^UNAUTHENTICATED /);
    for (let kid = 0; kid < 20; kid++)
      expect(await answer(it, `Bearer ${await with_("ES256", `unknown-${kid}`)}`)).toMatch(/^UNAUTHENTICATED /);
    expect(asked).toBe(2);
  });

  test("[ACC4] that can't be fetched are no fault of the client; those that are known count for a day", async () => {
    status = 503;
    const it = published();
    expect(await answer(it, `Bearer ${await with_("ES256", "one")}`)).toMatch(/^UNAVAILABLE /);
    status = 200;
    expect(await answer(it, `Bearer ${await with_("ES256", "one")}`)).toMatchObject({ id: "ann" });
    status = 503;
    later(23 * 3_600_000);
    expect(await answer(it, `Bearer ${await with_("ES256", "one")}`)).toMatchObject({ id: "ann" });
    // It may be a new one: nobody can tell.
    expect(await answer(it, `Bearer ${await with_("EdDSA", "two")}`)).toMatch(/^UNAVAILABLE /);
    later(2 * 3_600_000);
    expect(await answer(it, `Bearer ${await with_("ES256", "one")}`)).toMatch(/^UNAVAILABLE /);
  });

  test("[ACC4] must be a set of keys", async () => {
    for (const wrong of [[], { keys: 7 }, null, { keys: [], fill: "x".repeat(300_000) }]) {
      set = wrong as never;
      expect(await answer(published(), `Bearer ${await with_("ES256", "one")}`)).toMatch(/^UNAVAILABLE /);
    }
  });
});

describe("options", () => {
  test.each([
    [{}, "jwks or a secret"],
    [{ jwks: "https://id.example/jwks", secret }, "not both"],
    [{ jwks: "http://id.example/jwks" }, "https"],
    [{ jwks: "jwks.json" }, "https"],
    [{ secret, algorithms: ["RS256"] }, "RS256 does not fit"],
    [{ jwks: "https://id.example/jwks", algorithms: ["HS256"] }, "HS256 does not fit"],
    [{ secret, algorithms: ["none"] }, "none does not fit"],
    [{ secret, algorithms: [] }, "no algorithm"],
    [{ secret, skew: "1h" }, "10 minutes"],
    [{ secret, issuer: "" }, "an issuer"],
    [{ secret, audience: [] }, "an audience"],
  ])("[ACC4] that can't be meant are refused when the host is defined: %j", (options, why) => {
    expect(() => jwt({ issuer: ISSUER, audience: "shop", ...(options as Partial<JwtOptions>) })).toThrow(why);
  });

  test("[ACC4] a secret that is missing or short lets nobody in", async () => {
    for (const short of [() => undefined, () => "", () => "s".repeat(31)])
      expect(await answer(withSecret({ secret: short }), `Bearer ${await token()}`)).toMatch(/^INTERNAL /);
  });
});

afterEach(() => vi.useRealTimers());
