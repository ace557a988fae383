import { describe, expect, it } from "vitest";
import { isLikeApiKey, newApiKey, prefixOf } from "../../src/access/api-key.ts";
import { ApiKeys } from "../../src/coordinator/api-keys.ts";
import { migrateCoordinator } from "../../src/coordinator/tables.ts";
import { identityByKey } from "../../src/http/api-key-authenticator.ts";
import { authentication } from "../../src/http/authentication.ts";
import { KeyVerdicts } from "../../src/http/key-verdicts.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import { BEARER, codeOf, httpFixture } from "./http-fixture.ts";

const CALL = "/api/v1/objects/call/Counter/a/get";
const KEYS = "/admin/v1/keys";
const TEXT = /^evk_[0-9a-f]{12}_[\w-]{43}$/;
const random = { uuid: () => crypto.randomUUID() };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
/** As long as a key, and none. */
const guess = (n: number) => `evk_${n.toString(16).padStart(12, "0")}_${"x".repeat(43)}`;

interface Made {
  readonly key: string;
  readonly prefix: string;
  readonly [member: string]: unknown;
}

/** A host that takes API keys, and how often its coordinator was asked for one. While it is `away` it answers nothing. */
function setUp() {
  const state = { asked: 0, away: false };
  const base = httpFixture();
  const keys = base.parts.coordinator.keys as ApiKeys;
  const { clock } = base;
  const verdicts = new KeyVerdicts({
    clock,
    find: async (prefix, hash) => {
      state.asked++;
      if (state.away) throw new Error("Network connection lost.");
      return keys.find(prefix, hash);
    },
  });
  const authenticate = authentication([(request) => identityByKey(request, () => verdicts)], {}, clock);
  const http = httpFixture({ authenticate, clock, random, coordinator: base.parts.coordinator });
  const make = async (body: object): Promise<Made> => {
    const response = await http.post(KEYS, body, BEARER);
    if (response.status !== 201) throw new Error(await codeOf(response));
    return (await response.json()) as Made;
  };
  const call = async (key: string) => {
    const response = await http.fetch(CALL, { method: "POST", headers: bearer(key) });
    return response.status === 200 ? "ran" : codeOf(response);
  };
  const list = async () => (await (await http.admin("keys")).json()) as { keys: Made[]; cursor?: string };
  const revoke = (prefix: string) => http.fetch(`${KEYS}/${prefix}`, { method: "DELETE", headers: BEARER });
  const caller = () => [...http.partitions.values()].flatMap(({ messages }) => messages).at(-1)?.caller;
  return { http, clock, state, keys, verdicts, make, call, list, revoke, caller };
}

const billing = { id: "billing", roles: ["accounts"], claims: { tenant: "t1" } };

describe("an API key", () => {
  it("[ACC5] is shown once, and speaks for its identity from then on", async () => {
    const { make, call, caller, list } = setUp();
    const { key, prefix, ...rest } = await make({ identity: billing, name: "invoices", expiresIn: "90d" });
    expect(key).toMatch(TEXT);
    expect(prefixOf(key)).toBe(prefix);
    expect(rest).toMatchObject({ identity: billing, name: "invoices", state: "active" });
    expect(await call(key)).toBe("ran");
    expect(caller()).toEqual({ kind: "client", identity: billing });
    const text = JSON.stringify(await list());
    expect(text).toContain(prefix);
    expect(text).not.toContain(key.slice(18));
  });

  it("[ACC5] is stored as a hash, and stands nowhere else: not in the audit, the log, or an error", async () => {
    const { http, make, call, keys, revoke } = setUp();
    const { key, prefix } = await make({ identity: billing });
    const secret = key.slice(17);
    await call(`${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`);
    await revoke(prefix);
    const refused = await http.fetch(CALL, { method: "POST", headers: bearer(key) });
    const record = await keys.find(prefix, "");
    const audit = await (await http.admin("audit")).text();
    for (const text of [await refused.text(), audit, JSON.stringify(record), JSON.stringify(http.errors)])
      expect(text).not.toContain(secret);
    expect(JSON.parse(audit)).toMatchObject({
      entries: [
        { command: "revoke-key", details: { prefix }, outcome: "done" },
        { command: "make-key", details: { prefix, identity: "billing", roles: ["accounts"] }, outcome: "done" },
      ],
    });
    expect(audit).not.toContain("hash");
  });

  it("[ACC5] is one of 256 random bits, and its name another of 48", async () => {
    const made = await Promise.all(Array.from({ length: 200 }, () => newApiKey(random)));
    expect(new Set(made.map(({ text }) => text.slice(17))).size).toBe(200);
    expect(new Set(made.map(({ prefix }) => prefix)).size).toBe(200);
    for (const { text } of made) expect(text).toMatch(TEXT);
  });

  it.each([
    ["evk_", "UNAUTHENTICATED"],
    [`evk_${"0".repeat(12)}_short`, "UNAUTHENTICATED"],
    [`evk_${"G".repeat(12)}_${"x".repeat(43)}`, "UNAUTHENTICATED"],
    [`evk_${"x".repeat(10_000)}`, "UNAUTHENTICATED"],
    [`evk___proto__0000_${"x".repeat(43)}`, "UNAUTHENTICATED"],
    ["ann", "UNAUTHENTICATED"],
    ["EVK_1", "UNAUTHENTICATED"],
  ])("[ACC5] is refused without a question when it is malformed: %s", async (key, code) => {
    const { call, state } = setUp();
    expect(await call(key)).toBe(code);
    expect(state.asked).toBe(0);
  });

  it("[ACC5] left to the next authenticator is what does not begin like one", async () => {
    const { verdicts } = setUp();
    for (const authorization of ["", "Basic evk_1", "Bearer a.b.c", "Bearer user"]) {
      const request = new Request("http://h/", { headers: authorization === "" ? {} : { authorization } });
      expect(await identityByKey(request, () => verdicts)).toBeUndefined();
    }
    expect([isLikeApiKey("evk_x"), isLikeApiKey("Evk_x")]).toEqual([true, false]);
  });

  it("[ACC5] is another's with another secret: it is refused, and asks nobody", async () => {
    const { make, call, state } = setUp();
    const [one, two] = [await make({ identity: billing }), await make({ identity: { id: "other", roles: [] } })];
    for (const key of [one.key, one.key, two.key]) expect(await call(key)).toBe("ran");
    const asked = state.asked;
    const borrowed = `evk_${one.prefix}_${two.key.slice(17)}`;
    for (const key of [borrowed, `${one.key.slice(0, 17)}${"x".repeat(43)}`])
      for (let n = 0; n < 5; n++) expect(await call(key)).toBe("UNAUTHENTICATED");
    expect(state.asked).toBe(asked);
    expect(await call(one.key)).toBe("ran");
  });

  it("[ACC5] ends when it expires, not a moment later, and when it is revoked, within 30 s", async () => {
    const { make, call, clock, revoke, list } = setUp();
    const short = await make({ identity: billing, expiresIn: "10s" });
    const long = await make({ identity: billing });
    expect([await call(short.key), await call(long.key)]).toEqual(["ran", "ran"]);
    await clock.advance(10_000);
    expect(await call(short.key)).toBe("UNAUTHENTICATED");
    expect((await revoke(long.prefix)).status).toBe(200);
    expect((await revoke(long.prefix)).status).toBe(200);
    expect(await codeOf(await revoke("000000000000"))).toBe("NOT_FOUND");
    expect(await codeOf(await revoke("__proto__"))).toBe("NOT_FOUND");
    await clock.advance(20_000);
    expect(await call(long.key)).toBe("UNAUTHENTICATED");
    expect((await list()).keys.map(({ state }) => state)).toEqual(["revoked", "expired"]);
  });

  it("[ACC5] is noted as used by the day, and only with the right secret", async () => {
    const { make, call, clock, list } = setUp();
    const { key } = await make({ identity: billing });
    const used = async () => (await list()).keys[0]?.["lastUsed"];
    await call(`${key.slice(0, 17)}${"x".repeat(43)}`);
    expect(await used()).toBeUndefined();
    await clock.advance(31_000);
    await call(key);
    const today = new Date(clock.now()).toISOString().slice(0, 10);
    expect(await used()).toBe(today);
    await clock.advance(86_400_000);
    expect(await used()).toBe(today);
    await call(key);
    expect(await used()).toBe(new Date(clock.now()).toISOString().slice(0, 10));
  });
});

describe("the coordinator", () => {
  it("[ACC5] is asked for a key in use every 20 s, by one request; it is not waited for while it is away", async () => {
    const { make, call, clock, state } = setUp();
    const { key } = await make({ identity: billing });
    for (let second = 0; second < 20; second++) {
      expect(await call(key)).toBe("ran");
      await clock.advance(1_000);
    }
    expect(state.asked).toBe(1);
    expect(await Promise.all(Array.from({ length: 20 }, () => call(key)))).toEqual(Array(20).fill("ran"));
    expect(state.asked).toBe(2);
    state.away = true;
    for (let second = 0; second < 29; second++) {
      expect(await call(key)).toBe("ran");
      await clock.advance(1_000);
    }
    await clock.advance(1_000);
    expect(await call(key)).toBe("UNAVAILABLE");
    state.away = false;
    expect(await call(key)).toBe("ran");
  });

  it("[ACC5] that is silent lets no key count for longer than 30 s, also in a request that waits for it", async () => {
    const clock = new ManualClock();
    const { text, prefix, hash } = await newApiKey({ uuid: () => crypto.randomUUID() });
    const silent = Promise.withResolvers<void>();
    let times = 0;
    const find = () => {
      if (times++ === 0) return Promise.resolve({ prefix, hash, identity: billing, expiresAt: null });
      silent.resolve();
      return new Promise<never>(() => undefined);
    };
    const verdicts = new KeyVerdicts({ clock, find });
    await verdicts.identityOf(text);
    await clock.advance(29_000);
    const late = expect(verdicts.identityOf(text)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await silent.promise;
    await clock.advance(5_000);
    await late;
  });

  it("[ACC5] that is silent makes a key nobody knows UNAVAILABLE after 5 s, and says so", async () => {
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    const find = () => {
      asked.resolve();
      return new Promise<never>(() => undefined);
    };
    const verdicts = new KeyVerdicts({ clock, find });
    const authenticate = authentication([(request) => identityByKey(request, () => verdicts)], {}, clock);
    const http = httpFixture({ authenticate, clock });
    const answer = http.fetch(CALL, { method: "POST", headers: bearer(guess(1)) });
    await asked.promise;
    await clock.advance(5_000);
    expect((await answer).headers.get("retry-after")).toBe("1");
    expect(await codeOf(await answer)).toBe("UNAVAILABLE");
  });

  it("[ACC5] is asked once for a prefix that it does not know, and of many only as fast as guessers may", async () => {
    const { make, call, clock, state } = setUp();
    const { key } = await make({ identity: billing });
    expect(await call(key)).toBe("ran");
    for (let n = 0; n < 3; n++) expect(await call(guess(1))).toBe("UNAUTHENTICATED");
    expect(state.asked).toBe(2);
    const codes = await Promise.all(Array.from({ length: 200 }, (_, n) => call(guess(n + 2))));
    expect(codes.filter((code) => code === "UNAUTHENTICATED")).toHaveLength(99);
    expect(codes.filter((code) => code === "RATE_LIMITED")).toHaveLength(101);
    expect(state.asked).toBe(101);
    // Who is known goes on, also when its time has come to be asked for.
    expect(await call(key)).toBe("ran");
    await clock.advance(1_000);
    const more = await Promise.all(Array.from({ length: 50 }, (_, n) => call(guess(n + 1_000))));
    expect(more.filter((code) => code === "UNAUTHENTICATED")).toHaveLength(10);
  });
});

describe("the admin API of keys", () => {
  it("[ACC5] makes keys for admins only, and refuses what does not fit", async () => {
    const { http, make } = setUp();
    const tokens = httpFixture({ operatorToken: "op", viewerToken: "view" });
    for (const token of ["op", "view"])
      expect(await codeOf(await tokens.post(KEYS, { identity: billing }, bearer(token)))).toBe("ACCESS_DENIED");
    expect((await tokens.fetch(KEYS, { headers: bearer("view") })).status).toBe(200);
    const bad = [
      {},
      { identity: { id: "", roles: [] } },
      { identity: { id: "a" } },
      { identity: { id: "a", roles: ["x".repeat(5_000)] } },
      { identity: billing, expiresIn: "0s" },
      { identity: billing, expiresIn: "soon" },
      { identity: billing, name: "x".repeat(201) },
      { identity: billing, secret: "mine" },
    ];
    for (const body of bad)
      expect(await codeOf(await http.post(KEYS, body, BEARER)), JSON.stringify(body)).toBe("INVALID_ARGUMENT");
    await expect(make(bad[0] as object)).rejects.toThrow("INVALID_ARGUMENT");
  });

  it("[HTTP11] lists in pages, newest first", async () => {
    const { http, make } = setUp();
    const made: string[] = [];
    for (let n = 0; n < 5; n++) made.unshift((await make({ identity: { id: `k${n}`, roles: [] } })).prefix);
    const seen: string[] = [];
    for (let cursor = ""; ; ) {
      const page = (await (await http.admin(`keys?limit=2${cursor}`)).json()) as { keys: Made[]; cursor?: string };
      seen.push(...page.keys.map(({ prefix }) => prefix));
      if (page.cursor === undefined) break;
      cursor = `&cursor=${page.cursor}`;
    }
    expect(seen).toEqual(made);
  });

  it("[ACC5] keeps 10,000 keys: one that has ended makes room, and without one no more are made", async () => {
    const [storage, clock] = [new SqliteStorage(), new ManualClock()];
    migrateCoordinator(storage);
    storage.query(
      `WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 9999)
       INSERT INTO api_keys (prefix, hash, identity, name, created) SELECT 'k' || n, '', '{"id":"a","roles":[]}', '', 0 FROM n`,
    );
    const keys = new ApiKeys(storage, clock);
    const operator = { actor: "test", requestId: "r" };
    const make = (prefix: string) =>
      keys.make({ prefix, hash: "", identity: billing, name: "", expiresAt: null }, operator);
    expect(await make("one")).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
    await keys.revoke("k7", operator);
    await clock.advance(1_000);
    await keys.revoke("k3", operator);
    expect(await make("one")).toMatchObject({ ok: true });
    expect(await make("one")).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
    expect(await keys.revoke("k7", operator)).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
    expect(await keys.revoke("k3", operator)).toMatchObject({ ok: true });
  });
});
