import { describe, expect, it } from "vitest";
import { Cors, type CorsOptions } from "../../src/http/cors.ts";
import { BEARER, codeOf, httpFixture } from "./http-fixture.ts";

const CALL = "/api/v1/objects/call/Counter/a/get";
const APP = "https://app.example.com";

function shared(options?: CorsOptions) {
  const made = httpFixture({ cors: new Cors(options) });
  const ask = (path: string, origin: string, method = "POST") =>
    made.fetch(path, { method: "OPTIONS", headers: { origin, "access-control-request-method": method } });
  const call = (origin: string) => made.post(CALL, {}, { origin });
  return { ...made, ask, call };
}

const allow = ({ headers }: Response) => headers.get("access-control-allow-origin");

describe("pages of other sites [CORS1]", () => {
  it("may use nothing unless they are named", async () => {
    const { ask, call, fetch } = shared();
    expect(await codeOf(await ask(CALL, APP))).toBe("ACCESS_DENIED");
    expect(await codeOf(await call(APP))).toBe("ACCESS_DENIED");
    expect(await codeOf(await call("null"))).toBe("ACCESS_DENIED");
    expect(allow(await fetch("/healthz", { headers: { origin: APP } }))).toBeNull();
  });

  it("never keep the host's own pages out, nor clients that are no pages", async () => {
    for (const { call, post } of [shared(), shared({ origins: [APP] })]) {
      expect((await call("http://host.test")).status).toBe(200);
      expect((await post(CALL)).status).toBe(200);
      expect((await call("http://host.test.evil.example")).status).toBe(403);
    }
  });

  it("may ask and call where they are named, and read our headers and errors", async () => {
    const { ask, call, post, fetch } = shared({ origins: [APP], maxAge: 60 });
    const preflight = await ask(CALL, APP);
    expect([preflight.status, await preflight.text()]).toEqual([204, ""]);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-methods": "GET, HEAD, POST, DELETE",
      "access-control-allow-headers": expect.stringContaining("idempotency-key"),
      "access-control-max-age": "60",
      vary: "origin",
    });
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    const answer = await call(APP);
    expect([answer.status, allow(answer)]).toEqual([200, APP]);
    expect(answer.headers.get("access-control-expose-headers")).toContain("retry-after");
    const missing = await post("/api/v1/objects/call/Nothing/a/get", {}, { origin: APP });
    expect([missing.status, allow(missing)]).toEqual([404, APP]);
    // Caches must not give one page the answer to another.
    expect((await fetch("/healthz")).headers.get("vary")).toContain("origin");
    for (const origin of [
      "https://evil.example",
      `${APP}.evil.example`,
      "http://app.example.com",
      `${APP}:8443`,
      "null",
    ]) {
      expect(await codeOf(await ask(CALL, origin))).toBe("ACCESS_DENIED");
      const refused = await call(origin);
      expect([refused.status, allow(refused)]).toEqual([403, null]);
    }
  });

  it("may send cookies only where that is said, and every origin never may", async () => {
    const { call } = shared({ origins: [APP], credentials: true });
    const { headers } = await call(APP);
    expect([headers.get("access-control-allow-credentials"), headers.get("access-control-allow-origin")]).toEqual([
      "true",
      APP,
    ]);
    expect(allow(await shared({ origins: ["*"] }).call("https://any.example"))).toBe("*");
    for (const bad of [
      { origins: ["*"], credentials: true },
      { origins: [] },
      { origins: ["app.example.com"] },
      { origins: ["https://app.example.com/"] },
      { origins: ["null"] },
      { origins: [APP], maxAge: -1 },
    ])
      expect(() => new Cors(bad)).toThrow(/Cannot use the option cors/);
  });

  it("never use the admin API", async () => {
    const { ask, fetch, admin } = shared({ origins: ["*"] });
    expect((await ask("/admin/v1/cluster", APP, "GET")).status).not.toBe(204);
    expect(allow(await fetch("/admin/v1/cluster", { headers: { ...BEARER, origin: APP } }))).toBeNull();
    expect((await admin("cluster")).headers.get("vary")).toBeNull();
  });
});

describe("headers for browsers [HTTP16]", () => {
  it("are on every answer: nothing is guessed, kept, framed or run", async () => {
    const { fetch, post, admin } = httpFixture();
    for (const answer of [
      await fetch("/healthz"),
      await fetch("/nothing"),
      await post("/api/v1/objects/call/Nothing/a/get"),
      await admin("cluster"),
      await fetch("/", { headers: { accept: "text/html" } }),
      await fetch("/api/v1/openapi.json"),
    ]) {
      const { headers } = answer;
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'.*frame-ancestors 'none'/);
    }
    expect((await post(CALL)).headers.get("x-content-type-options")).toBe("nosniff");
  });
});
