import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkIdentity, MAX_IDENTITY } from "../../src/access/identity.ts";

const refused = (identity: unknown) => {
  try {
    return checkIdentity(identity);
  } catch (error) {
    return (error as Error).message;
  }
};

describe("an identity", () => {
  test("[ACC2] is an id, roles and claims, and a copy", () => {
    const given = { id: "ann", roles: ["admin"], claims: { tenant: { name: "t1" } } };
    const identity = checkIdentity(given);
    expect(identity).toEqual(given);
    given.roles.push("root");
    given.claims.tenant.name = "t2";
    expect(identity).toEqual({ id: "ann", roles: ["admin"], claims: { tenant: { name: "t1" } } });
  });

  test.each([
    ["nothing", undefined, "expected object"],
    ["a text", "ann", "expected object"],
    ["no id", { roles: [] }, "id: "],
    ["an empty id", { id: "", roles: [] }, "id: "],
    ["a number for an id", { id: 7, roles: [] }, "id: "],
    ["no roles", { id: "ann" }, "roles: "],
    ["roles in one text", { id: "ann", roles: "admin" }, "roles: "],
    ["an empty role", { id: "ann", roles: [""] }, "roles.0: "],
    ["a list for claims", { id: "ann", roles: [], claims: [] }, "claims: "],
    ["a member that means nothing", { id: "ann", roles: [], subject: "bob" }, "subject"],
    ["claims that are not JSON", { id: "ann", roles: [], claims: { n: 1n } }, "not JSON"],
  ])("[ACC2] is refused with %s", (_, identity, why) => {
    expect(refused(identity)).toContain(why);
  });

  test("[ACC2] has a bound in bytes of all it holds, not in characters", () => {
    const bare = JSON.stringify({ id: "", roles: [] }).length;
    expect(checkIdentity({ id: "a".repeat(MAX_IDENTITY - bare), roles: [] }).roles).toEqual([]);
    expect(refused({ id: "a".repeat(MAX_IDENTITY - bare + 1), roles: [] })).toContain("over 4096 bytes");
    expect(refused({ id: "é".repeat(MAX_IDENTITY / 2), roles: [] })).toContain("over 4096 bytes");
    expect(refused({ id: "a", roles: [], claims: { big: "x".repeat(MAX_IDENTITY) } })).toContain("over 4096 bytes");
  });

  test("[ACC2] names of the prototype are names like any other", () => {
    const hostile = JSON.parse(
      '{"id":"__proto__","roles":["constructor","__proto__"],"claims":{"__proto__":{"admin":true},"constructor":1}}',
    );
    const { id, roles, claims } = checkIdentity(hostile);
    expect([id, roles]).toEqual(["__proto__", ["constructor", "__proto__"]]);
    expect((claims as { admin?: boolean }).admin).toBeUndefined();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test("[ACC2] is kept whole, or refused with a reason: whatever comes", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.string({ minLength: 1, unit: "binary" }),
        fc.array(fc.string()),
        (any, id, roles) => {
          for (const candidate of [any, { id, roles }, { id, roles, claims: any }]) {
            const answer = refused(candidate);
            if (typeof answer === "string") expect(answer).toMatch(/^Cannot use the identity: ./);
            else expect(checkIdentity(answer)).toEqual(answer);
          }
        },
      ),
    );
  });
});
