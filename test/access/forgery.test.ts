import { generateKeyPair, UnsecuredJWT } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { ALL_PEOPLE, METHODS, TABLE } from "./access-table.ts";
import { CLAIMS, signed, Vault, vaults } from "./vault-fixture.ts";

let made: ReturnType<typeof vaults> | undefined;
afterEach(() => made?.cluster.stop());
function setUp() {
  made = vaults();
  return made;
}

/** What something in front of a host may set, and a client may send as well. */
const SPOOFED: Readonly<Record<string, string>> = {
  "x-edgeverse-identity": '{"id":"root","roles":["admin"]}',
  "x-edgeverse-caller": '{"kind":"system"}',
  "edgeverse-identity": '{"id":"root","roles":["admin"]}',
  "edgeverse-caller": '{"kind":"object"}',
  "cf-access-authenticated-user-email": "root",
  "cf-access-jwt-assertion": "a.b.c",
  "x-forwarded-user": "root",
  "x-remote-user": "root",
  "x-api-key": "evk_0",
  "x-roles": "admin",
  cookie: "authorization=root; identity=root",
};

describe("who calls", () => {
  test("[ACC2] is nobody else for any header that is not a credential", async () => {
    const { post } = setUp();
    for (const person of ALL_PEOPLE)
      for (const method of METHODS) {
        const { body } = await post(`/api/v1/objects/call/Vault/ann/${method}?identity=root`, person, {}, SPOOFED);
        expect(body.response ?? body.code, `${person} ${method}`).toBe(TABLE[method][person]);
      }
  });

  test("[ACC4] is nobody with a token that is forged, expired, or for others, on any way to an object", async () => {
    const { post, call, cluster, http } = setUp();
    const root = { sub: "root", roles: ["admin"] };
    const other = await generateKeyPair("ES256", { extractable: true });
    const pem = JSON.stringify(await crypto.subtle.exportKey("jwk", other.publicKey));
    const forged = {
      "no algorithm": new UnsecuredJWT({ ...CLAIMS, ...root, exp: 4e9 }).encode(),
      "another secret": await signed(root, "another secret that is just as long as ours"),
      "a public key as the secret": await signed(root, pem),
      expired: await signed(root, undefined, 1_000_000),
      "another audience": await signed({ ...root, aud: "bank" }),
      "another issuer": await signed({ ...root, iss: "https://evil.test" }),
      "no one": await signed({ roles: ["admin"] }),
      "roles that are none": await signed({ sub: "root", roles: { length: 1, 0: "admin" } }),
      "too long": await signed({ ...root, fill: "x".repeat(9_000) }),
      "the admin's own": "t",
      garbage: "evk.evk.evk",
    };
    for (const [what, token] of Object.entries(forged)) {
      const authorization = { authorization: `Bearer ${token}` };
      expect(await call("ann", "manage", token), what).toBe("UNAUTHENTICATED");
      const batch = { calls: [{ type: "Vault", id: "ann", method: "open" }] };
      expect((await post("/api/v1/objects/batch", "anonymous", batch, authorization)).body.code).toBe(
        "UNAUTHENTICATED",
      );
      if (what === "the admin's own") continue;
      for (const path of ["/api/v1/objects/query/Vault?index=x", "/admin/v1/cluster"]) {
        const request = new Request(`http://host${path}`, { headers: authorization });
        expect((await cluster.clock.until(http(request))).status, `${what} ${path}`).toBe(401);
      }
    }
    expect(await cluster.object(Vault, "ann").ran()).toEqual([]);
  });

  test("[ACC5] is nobody with a borrowed, shortened or lengthened key, and a key opens the admin API only by its roles", async () => {
    const { call, keyOf, cluster, http } = setUp();
    const [ann, root] = [(await keyOf("ann")) as string, (await keyOf("root")) as string];
    const borrowed = [
      `${root.slice(0, 17)}${ann.slice(17)}`,
      ann.slice(0, -1),
      `${ann}x`,
      ann.toUpperCase(),
      ` ${ann} ${root}`,
    ];
    for (const key of borrowed) expect(await call("ann", "mine", key), key.slice(0, 20)).toBe("UNAUTHENTICATED");
    expect(await call("ann", "mine", ann)).toBe("ran");
    const look = async (key: string) => {
      const headers = { authorization: `Bearer ${key}` };
      return (await cluster.clock.until(http(new Request("http://host/admin/v1/cluster", { headers })))).status;
    };
    expect([await look(ann), await look(root)]).toEqual([403, 200]);
  });
});

describe("names that every JavaScript object has", () => {
  const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

  test("[ACC1] [OBJ1] are no types, no methods and no roles; as ids they are ids like others", async () => {
    const { post, call, makeKey } = setUp();
    for (const name of NAMES) {
      const type = await post(`/api/v1/objects/call/${name}/ann/open`, "root");
      expect(["TYPE_NOT_FOUND", "INVALID_ID"], name).toContain(type.body.code);
      expect((await post(`/api/v1/objects/call/Vault/ann/${name}`, "root")).body.code, name).toBe("METHOD_NOT_FOUND");
      const item = { type: "Vault", id: "ann", method: name };
      const batch = await post("/api/v1/objects/batch", "root", {
        calls: [item, { ...item, type: name, method: "open" }],
      });
      expect(batch.body.results?.map(({ error }) => error?.code)).toEqual(["METHOD_NOT_FOUND", type.body.code]);
      const key = await makeKey({ id: name, roles: NAMES });
      expect(await call(name, "mine", key), name).toBe("ran");
      expect(await call("ann", "mine", key), name).toBe("ACCESS_DENIED");
      expect(await call("ann", "manage", key), name).toBe("ACCESS_DENIED");
      const explained = await post(
        "/admin/v1/access/explain",
        "anonymous",
        { type: "Vault", id: "ann", method: name },
        { authorization: "Bearer t" },
      );
      expect(explained.body.code, name).toBe("METHOD_NOT_FOUND");
    }
    // Anonymous clients have no name at all.
    expect(await call("", "mine", undefined)).toBe("INVALID_PATH");
  });
});

describe("credentials that are too large", () => {
  test.each([
    ["a key", `evk_${"0".repeat(100_000)}`],
    ["a token", `${"x".repeat(50_000)}.${"x".repeat(50_000)}.x`],
    ["words", "x ".repeat(50_000)],
  ])("[ACC2] [HTTP15] are refused, and nothing runs: %s", async (_, text) => {
    const { call, cluster } = setUp();
    expect(await call("ann", "open", text)).toBe("HEADERS_TOO_LARGE");
    expect(await cluster.object(Vault, "ann").ran()).toEqual([]);
  });
});
