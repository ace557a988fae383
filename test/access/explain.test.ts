import { afterEach, describe, expect, test } from "vitest";
import { PEOPLE } from "./access-table.ts";
import { type Answer, vaults } from "./vault-fixture.ts";

let made: ReturnType<typeof vaults> | undefined;
afterEach(() => made?.cluster.stop());

const METHODS = ["open", "any", "play", "mine", "manage", "mineOrAdmin", "hidden", "closed", "outside", "inside"];

function setUp() {
  made = vaults();
  const { http, post, cluster } = made;
  const explain = async (body: object) => {
    const headers = { authorization: "Bearer t" };
    const request = new Request("http://host/admin/v1/access/explain", {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    const response = await cluster.clock.until(http(request));
    return (await response.json()) as Answer;
  };
  return { explain, post };
}

describe("POST /admin/v1/access/explain", () => {
  test("[ACC1] says of every client and method what a call would be told", async () => {
    const { explain, post } = setUp();
    for (const method of METHODS) {
      for (const [person, identity] of Object.entries(PEOPLE)) {
        const told = await explain({ type: "Vault", id: "ann", method, ...(identity === null ? {} : { identity }) });
        const { body } = await post(`/api/v1/objects/call/Vault/ann/${method}`, person);
        expect(told["allowed"] ?? false, `${person} ${method}`).toBe(body.response === "ran");
        expect(told.code, `${person} ${method}`).toBe(body.code);
        if (told["reason"] !== undefined) expect(told["reason"]).toBe(body.detail);
      }
    }
  });

  test("[ACC1] names what decided: a rule of the host by its place, the method, or the class", async () => {
    const { explain } = setUp();
    const of = (more: object) => explain({ type: "Vault", id: "ann", ...more });
    expect(await of({ method: "closed", caller: "object" })).toEqual({
      allowed: false,
      code: "ACCESS_DENIED",
      reason: "No object may call Vault.closed: a rule of the host says so",
      rule: { from: "rule", index: 0, clients: null, internal: false },
    });
    expect(await of({ method: "outside" })).toMatchObject({ rule: { from: "rule", index: 1, clients: "everybody" } });
    expect(await of({ id: "nobody-1", method: "open" })).toMatchObject({ rule: { index: 3 } });
    expect(await of({ method: "mineOrAdmin" })).toMatchObject({
      rule: { from: "method", clients: "the object's owner, or the role admin", internal: true },
    });
    expect(await of({ method: "play" })).toMatchObject({ rule: { from: "class", clients: "the role player" } });
    expect(await of({ method: "hidden", caller: "worker" })).toMatchObject({ allowed: true });
    expect(await of({ lifecycle: "CREATE" })).toMatchObject({ code: "UNAUTHENTICATED", rule: { from: "class" } });
    expect(await of({ lifecycle: "DELETE" })).toMatchObject({ rule: { from: "default", clients: null } });
  });

  test("[HTTP11] refuses what it does not know, and what names nothing", async () => {
    const { explain } = setUp();
    const codes = async (...bodies: object[]) => Promise.all(bodies.map(async (body) => (await explain(body)).code));
    const known = { type: "Vault", id: "ann", method: "open" };
    expect(
      await codes(
        { ...known, methd: "open" },
        { ...known, lifecycle: "CREATE" },
        { type: "Vault", id: "ann" },
        { ...known, caller: "system" },
        { ...known, identity: { id: "ann" } },
        { ...known, identity: { id: "", roles: [] } },
        { ...known, type: "Vaul" },
        { ...known, method: "constructor" },
        { ...known, id: "a/b" },
      ),
    ).toEqual([
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "TYPE_NOT_FOUND",
      "METHOD_NOT_FOUND",
      "INVALID_ID",
    ]);
  });
});
