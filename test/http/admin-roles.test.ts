import { describe, expect, it } from "vitest";
import { roleOf } from "../../src/http/admin/auth.ts";
import { ADMIN_ROLES } from "../../src/http/admin/roles.ts";
import { httpRoutes } from "../../src/http/routes.ts";
import { BEARER, codeOf, httpFixture, TOKEN } from "./http-fixture.ts";

const TOKENS = { adminToken: `${TOKEN}, next-admin`, operatorToken: "operator-1,operator-2", viewerToken: "viewer-1" };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const BY_ROLE = { viewer: "viewer-1", operator: "operator-1", admin: TOKEN } as const;

describe("a role of the admin API", () => {
  it("[ACC3] may use exactly the routes that are for it, and those for less", async () => {
    const http = httpFixture(TOKENS);
    const routes = httpRoutes(http.parts).filter(({ doc }) => doc.path.startsWith("/admin/"));
    expect(new Set(routes.map(({ doc }) => roleOf(doc)))).toEqual(new Set(ADMIN_ROLES));
    for (const { doc } of routes) {
      for (const role of ADMIN_ROLES) {
        const may = ADMIN_ROLES.indexOf(role) >= ADMIN_ROLES.indexOf(roleOf(doc));
        // What is not known of the body is refused, so that nothing changes.
        const body = doc.method === "get" ? {} : { body: '{"nothing":true}' };
        const init = { method: doc.method.toUpperCase(), headers: bearer(BY_ROLE[role]), ...body };
        const response = await http.fetch(doc.path.replaceAll(/\{\w+\}/g, "1"), init);
        expect(response.status === 403, `${role} ${doc.method} ${doc.path}`).toBe(!may);
      }
    }
  });

  it("[ACC3] looks, changes what can be changed back, or changes all", async () => {
    const http = httpFixture(TOKENS);
    const order = { partition: "p1" };
    const viewer = await http.post("/admin/v1/shards/1/pin", order, bearer("viewer-1"));
    expect(await viewer.json()).toMatchObject({ code: "ACCESS_DENIED", detail: expect.stringContaining("operator") });
    expect((await http.post("/admin/v1/shards/1/pin", order, bearer("operator-1"))).status).toBe(200);
    expect(await codeOf(await http.post("/admin/v1/shard-count", { count: 32 }, bearer("operator-1")))).toBe(
      "ACCESS_DENIED",
    );
    expect((await http.post("/admin/v1/shard-count", { count: 32, dryRun: true }, BEARER)).status).toBe(200);
  });

  it("[ACC3] can have several tokens, and any of them lets in; no part of the list does", async () => {
    const http = httpFixture(TOKENS);
    const look = (token: string) => http.fetch("/admin/v1/cluster", { headers: bearer(token) });
    for (const token of [TOKEN, "next-admin", "operator-1", "operator-2", "viewer-1"])
      expect((await look(token)).status, token).toBe(200);
    for (const token of ["operator-1,operator-2", `${TOKEN},`, ",", "operator", "viewer-1x"])
      expect(await codeOf(await look(token)), token).toBe("UNAUTHENTICATED");
  });

  it("[ACC3] is enough for there to be an admin API", async () => {
    const http = httpFixture({ adminToken: undefined, viewerToken: "viewer-1", operatorToken: " , " });
    expect((await http.fetch("/admin/v1/cluster", { headers: bearer("viewer-1") })).status).toBe(200);
    expect(await codeOf(await http.fetch("/admin/v1/cluster", { headers: bearer("") }))).toBe("UNAUTHENTICATED");
    expect((await httpFixture({ adminToken: ",", viewerToken: "" }).fetch("/admin/v1/cluster")).status).toBe(404);
  });

  it("[ACC3] stands in the audit, with what tells its tokens apart", async () => {
    const http = httpFixture(TOKENS);
    for (const token of ["operator-1", "operator-2"])
      await http.post("/admin/v1/shards/1/pin", { partition: "p1" }, bearer(token));
    const { entries } = (await (await http.admin("audit")).json()) as { entries: { actor: string }[] };
    const actors = entries.map(({ actor }) => actor);
    expect(actors).toEqual([
      expect.stringMatching(/^operator token [0-9a-f]{8}$/),
      expect.stringMatching(/^operator token [0-9a-f]{8}$/),
    ]);
    expect(actors[0]).not.toBe(actors[1]);
  });
});

describe("a page of another site", () => {
  it("[ACC3] changes nothing, also with a token; the host's own page does", async () => {
    const http = httpFixture(TOKENS);
    const pin = (origin: string) => http.post("/admin/v1/shards/1/pin", { partition: "p1" }, { ...BEARER, origin });
    for (const origin of ["https://evil.test", "null", "http://host.test.evil.test", "http://host.test:8080"])
      expect(await codeOf(await pin(origin)), origin).toBe("ACCESS_DENIED");
    for (const origin of ["http://host.test", "https://host.test"]) expect((await pin(origin)).status).toBe(200);
    expect(
      (await http.fetch("/admin/v1/cluster", { headers: { ...BEARER, origin: "https://evil.test" } })).status,
    ).toBe(200);
  });

  it("[ACC3] has no cookie that would count", async () => {
    const http = httpFixture(TOKENS);
    const headers = { cookie: `authorization=Bearer ${TOKEN}; token=${TOKEN}; EDGEVERSE_ADMIN_TOKEN=${TOKEN}` };
    expect(await codeOf(await http.fetch("/admin/v1/cluster", { headers }))).toBe("UNAUTHENTICATED");
    expect(await codeOf(await http.fetch(`/admin/v1/cluster?token=${TOKEN}`))).toBe("UNAUTHENTICATED");
  });
});
