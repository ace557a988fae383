import { describe, expect, it } from "vitest";
import { adminRolesFault } from "../../src/http/admin/roles.ts";
import { type Authenticator, authentication } from "../../src/http/authentication.ts";
import type { HttpParts } from "../../src/http/ports.ts";
import { BEARER, codeOf, httpFixture } from "./http-fixture.ts";

/** `Bearer id:role,role`, or a cookie of the same. */
const byName: Authenticator = ({ headers }) => {
  const text = headers.get("authorization")?.replace("Bearer ", "") ?? headers.get("cookie") ?? "";
  const [, id, roles = ""] = /^(\w+):([\w,]*)$/.exec(text) ?? [];
  return id === undefined ? undefined : { id, roles: roles.split(",") };
};
const bearer = (who: string) => ({ authorization: `Bearer ${who}` });
const ROLES = { viewer: ["support"], operator: ["ops"], admin: ["root", "boss"] };
const PIN = "/admin/v1/shards/1/pin";

function setUp(changes: Partial<HttpParts> = {}) {
  const http = httpFixture(changes);
  return httpFixture({ authenticate: authentication([byName], {}, http.clock), adminRoles: ROLES, ...changes });
}

describe("an identity at the admin API", () => {
  it("[ACC3] is what its roles are there, and of several the highest", async () => {
    const http = setUp();
    const can = async (who: string) => {
      const look = await http.fetch("/admin/v1/cluster", { headers: bearer(who) });
      const pin = await http.post(PIN, { partition: "p1" }, bearer(who));
      const count = await http.post("/admin/v1/shard-count", { count: 32, dryRun: true }, bearer(who));
      return [look.status, pin.status, count.status];
    };
    expect(await can("ann:support")).toEqual([200, 403, 403]);
    expect(await can("ann:ops")).toEqual([200, 200, 403]);
    expect(await can("ann:player,boss,support")).toEqual([200, 200, 200]);
    for (const who of ["ann:player", "ann:admin", "ann:viewer", "ann:constructor", "ann:__proto__"])
      expect(await codeOf(await http.fetch("/admin/v1/cluster", { headers: bearer(who) })), who).toBe("ACCESS_DENIED");
  });

  it("[ACC3] stands in the audit by its id, and never looks like a token", async () => {
    const http = setUp();
    await http.post(PIN, { partition: "p1" }, bearer("ann:ops"));
    await http.post(PIN, { partition: "p1" }, BEARER);
    const { entries } = (await (await http.admin("audit")).json()) as { entries: { actor: string }[] };
    expect(entries.map(({ actor }) => actor)).toEqual([
      expect.stringMatching(/^admin token [0-9a-f]{8}$/),
      "operator identity ann",
    ]);
  });

  it("[ACC3] is enough for there to be an admin API; without the option no identity is", async () => {
    const only = setUp({ adminToken: undefined });
    expect((await only.fetch("/admin/v1/cluster", { headers: bearer("ann:support") })).status).toBe(200);
    expect(await codeOf(await only.fetch("/admin/v1/cluster"))).toBe("UNAUTHENTICATED");
    const none = setUp({ adminToken: undefined, adminRoles: undefined });
    expect(await codeOf(await none.fetch("/admin/v1/cluster", { headers: bearer("ann:root") }))).toBe("NOT_FOUND");
    const tokens = setUp({ adminRoles: undefined });
    expect(await codeOf(await tokens.fetch("/admin/v1/cluster", { headers: bearer("ann:root") }))).toBe(
      "UNAUTHENTICATED",
    );
    const nobody = setUp({ authenticate: undefined });
    expect(await codeOf(await nobody.fetch("/admin/v1/cluster", { headers: bearer("ann:root") }))).toBe(
      "UNAUTHENTICATED",
    );
  });

  it("[ACC3] does not come from a cookie, and changes nothing for a page of another site", async () => {
    const http = setUp();
    expect(await codeOf(await http.fetch("/admin/v1/cluster", { headers: { cookie: "ann:root" } }))).toBe(
      "UNAUTHENTICATED",
    );
    const foreign = { ...bearer("ann:root"), origin: "https://evil.test" };
    expect(await codeOf(await http.post(PIN, { partition: "p1" }, foreign))).toBe("ACCESS_DENIED");
  });

  it("[ACC3] [IDX2] finds all objects, whatever the class lets clients find", async () => {
    const http = setUp();
    const query = (who: string) => http.fetch("/api/v1/objects/query/Counter?index=x", { headers: bearer(who) });
    // It got as far as the index, which Counter does not have.
    expect(await codeOf(await query("ann:support"))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(await query("ann:player"))).toBe("ACCESS_DENIED");
  });

  it("[ACC3] is not let in by an option that can't be meant", () => {
    expect(adminRolesFault({ admin: ["root"] }, true)).toBeUndefined();
    expect(adminRolesFault({ admin: ["root"] }, false)).toContain("no authenticate");
    expect(adminRolesFault({ admin: [] }, true)).toContain("admin: ");
    expect(adminRolesFault({ admin: [""] }, true)).toContain("admin.0: ");
    expect(adminRolesFault({ owner: ["root"] } as object, true)).toContain("owner");
  });
});
