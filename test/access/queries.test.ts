import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { AccessRule, TypeAccess } from "../../src/access/access.ts";
import { authentication } from "../../src/http/authentication.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { PEOPLE, type Person } from "./access-table.ts";
import { httpOf } from "./http-of.ts";
import { outcome } from "./vault-fixture.ts";

class Note extends VirtualObject.withState(z.object({ color: z.string().default("red") })) {
  static override readonly type: string = "Note";
  static override readonly access: TypeAccess | undefined = undefined;
  static override readonly index = { color: ({ color }: { color: string }) => color };
  static override readonly methods = { paint: method({ request: z.string() }) };
  paint(color: string) {
    this.state.color = color;
  }
}

const all = ["ann", "bob", "partition#p0/x", "zoe"];
const [DENIED, UNKNOWN] = ["ACCESS_DENIED", "UNAUTHENTICATED"];

/** What a query of all notes gives, by what is said of it and by who asks. */
const TABLE: readonly {
  readonly says: string;
  readonly access?: TypeAccess;
  readonly rules?: readonly AccessRule[];
  readonly found: Readonly<Record<Person | "inner", unknown>>;
}[] = [
  {
    says: "nothing, but that everybody may call, create and delete",
    access: { anonymous: true, create: { anonymous: true }, delete: { anonymous: true } },
    rules: [{ type: "*", lifecycle: "ALL", access: "ALLOW", anonymous: true }],
    found: { anonymous: DENIED, ann: DENIED, bob: DENIED, root: DENIED, inner: all },
  },
  {
    says: "everybody",
    access: { query: { anonymous: true } },
    found: { anonymous: all, ann: all, bob: all, root: all, inner: all },
  },
  {
    says: "owners",
    access: { query: { owner: true } },
    found: { anonymous: UNKNOWN, ann: ["ann"], bob: ["bob"], root: [], inner: all },
  },
  {
    says: "owners, and all for admins",
    access: { query: { owner: true, or: { roles: ["admin"] } } },
    found: { anonymous: UNKNOWN, ann: ["ann"], bob: ["bob"], root: all, inner: all },
  },
  {
    says: "owners with a role",
    access: { query: { owner: true, roles: ["admin"] } },
    found: { anonymous: UNKNOWN, ann: DENIED, bob: DENIED, root: [], inner: all },
  },
  {
    says: "a role, and a rule says owners before it",
    access: { query: { roles: ["player"] } },
    rules: [{ type: "N*", lifecycle: "QUERY", access: "ALLOW", owner: true }],
    found: { anonymous: UNKNOWN, ann: ["ann"], bob: ["bob"], root: [], inner: all },
  },
  {
    says: "everybody, and a rule says nobody",
    access: { query: { anonymous: true } },
    rules: [{ type: "*", lifecycle: "QUERY", access: "REJECT" }],
    found: { anonymous: DENIED, ann: DENIED, bob: DENIED, root: DENIED, inner: DENIED },
  },
  {
    says: "no client",
    access: { anonymous: true, query: { internal: true } },
    found: { anonymous: DENIED, ann: DENIED, bob: DENIED, root: DENIED, inner: all },
  },
];

function cluster(access: TypeAccess | undefined, rules: readonly AccessRule[] = []) {
  class It extends Note {
    static override readonly access = access;
  }
  const made = new TestCluster({ objects: [It], access: rules, partitions: 2 });
  const byName = (request: Request) => PEOPLE[request.headers.get("authorization") as Person] ?? undefined;
  const http = httpOf(made, { authenticate: authentication([byName], {}, made.clock), adminToken: "t" });
  const ask = async (query: string, person: Person) => {
    const headers = { ...(person === "anonymous" ? {} : { authorization: person }) };
    const response = await made.clock.until(
      http(new Request(`http://host/api/v1/objects/query/Note?${query}`, { headers })),
    );
    return (await response.json()) as { objects?: { id: string; value: string }[]; code?: string; cursor?: string };
  };
  return { made, It, http, ask };
}

describe.each(TABLE)("[ACC1] [IDX2] a query, where the host says: $says", ({ access, rules, found }) => {
  test("finds the same over HTTP and for the Worker's own code", async () => {
    const { made, It, ask } = cluster(access, rules);
    using _ = made;
    for (const id of all) await made.object(It, id).paint("blue");
    for (const person of Object.keys(PEOPLE) as Person[]) {
      const { objects, code } = await ask("index=color&value=blue", person);
      expect(code ?? objects?.map(({ id }) => id), person).toEqual(found[person]);
      const identity = PEOPLE[person] ?? null;
      const mounted = await outcome(
        made.query(It, { index: "color", identity }).then(({ objects }) => objects.map(({ id }) => id)),
      );
      expect(mounted, person).toEqual(found[person]);
    }
    const inner = await outcome(made.query(It, { index: "color" }).then(({ objects }) => objects.map(({ id }) => id)));
    expect(inner).toEqual(found.inner);
  });

  test("is explained as it is decided", async () => {
    const { made, http } = cluster(access, rules);
    using _ = made;
    for (const [person, identity] of Object.entries(PEOPLE)) {
      const body = JSON.stringify({
        type: "Note",
        id: "ann",
        lifecycle: "QUERY",
        ...(identity === null ? {} : { identity }),
      });
      const request = new Request("http://host/admin/v1/access/explain", {
        method: "POST",
        headers: { authorization: "Bearer t" },
        body,
      });
      const told = (await (await made.clock.until(http(request))).json()) as { allowed: boolean };
      const finds = found[person as Person];
      expect(told.allowed, person).toBe(Array.isArray(finds) && finds.includes("ann"));
    }
  });
});

describe("a query for its own object", () => {
  test("[ACC1] tells nothing of others: not by its cursor, its bounds, or its values", async () => {
    const { made, It, ask } = cluster({ query: { owner: true } });
    using _ = made;
    for (let n = 0; n < 30; n++) await made.object(It, `n${n}`).paint(`c${n}`);
    await made.object(It, "ann").paint("c5");
    const queries = ["", "&value=c5", "&prefix=c", "&from=c4&to=c6", "&limit=1", "&order=desc&limit=1"];
    for (const query of queries)
      expect(await ask(`index=color${query}`, "ann"), query).toEqual({
        objects: [{ id: "ann", value: "c5" }],
        unreachable: [],
        ...(query.includes("limit") ? { cursor: expect.any(String) } : {}),
      });
    for (const query of ["&value=c6", "&prefix=d", "&from=c6", "&to=c5"])
      expect(await ask(`index=color${query}`, "ann"), query).toEqual({ objects: [], unreachable: [] });
    const { cursor } = await ask("index=color&limit=1", "ann");
    expect(await ask(`index=color&limit=1&cursor=${cursor}`, "ann")).toEqual({ objects: [], unreachable: [] });
    expect(await ask("index=color", "bob")).toEqual({ objects: [], unreachable: [] });
    // Also where another's cursor is used.
    expect(await ask(`index=color&limit=1&cursor=${cursor}`, "bob")).toEqual({ objects: [], unreachable: [] });
  });

  test("[ACC1] follows the object when it moves", async () => {
    const { made, It, ask } = cluster({ query: { owner: true } });
    using _ = made;
    await made.object(It, "ann").paint("blue");
    await made.move(It, "ann", { to: made.ownerOf(It, "ann") === "p0" ? "p1" : "p0" });
    expect((await ask("index=color", "ann")).objects).toEqual([{ id: "ann", value: "blue" }]);
  });

  test("[ACC1] comes before the type's indexes are looked at, and of a type that is there", async () => {
    const { made, ask, http } = cluster(undefined);
    using _ = made;
    expect((await ask("index=nothing", "ann")).code).toBe("ACCESS_DENIED");
    for (const type of ["__proto__", "constructor", "toString", "Nothing"]) {
      const response = await made.clock.until(
        http(new Request(`http://host/api/v1/objects/query/${type}?index=color`)),
      );
      expect(await response.json(), type).toMatchObject({ code: /^_/.test(type) ? "INVALID_ID" : "TYPE_NOT_FOUND" });
    }
  });

  test("[ACC1] a rule for queries that names an id or a method is refused: what it would hide, cursors tell", () => {
    const rule = { type: "Note", lifecycle: "QUERY", access: "ALLOW", anonymous: true } as const;
    expect(() => cluster(undefined, [{ ...rule, id: "public-*" }])).toThrow(/rule 0: a query is for all objects/);
    expect(() => cluster(undefined, [{ ...rule, method: "paint" }])).toThrow(/names a method and a lifecycle/);
  });
});
