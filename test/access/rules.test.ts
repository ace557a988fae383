import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { AccessRule, TypeAccess } from "../../src/access/access.ts";
import { checkAccess, type Subject } from "../../src/access/decide.ts";
import { glob } from "../../src/access/glob.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { type MethodOptions, method } from "../../src/object/method.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";

function doorOf(access?: TypeAccess, options: MethodOptions = {}, autoCreate = true) {
  return class Door extends VirtualObject.withState(z.object({ open: z.boolean().default(false) })) {
    static override readonly type = "Door";
    static override readonly access = access;
    static override readonly autoCreate = autoCreate;
    static override readonly methods = { knock: method(options), look: method({ readonly: true }) };
    knock() {
      this.state.open = true;
      return "in";
    }
    look() {
      return this.state.open;
    }
  };
}
const ann: Subject = { kind: "client", identity: { id: "ann", roles: ["player"] } };
const anyone: Subject = { kind: "client" };

/** The code that a call is refused with; "in" when it is not. */
function decide(registry: Registry, subject: Subject, id = "a", name = "knock"): string {
  try {
    registry.methodFor(subject, registry.type("Door"), id, name);
    return "in";
  } catch (error) {
    return EdgeverseError.from(error).code;
  }
}
const fault = (access?: unknown, options?: unknown, rules: readonly unknown[] = []) => {
  try {
    new Registry([doorOf(access as TypeAccess, options as MethodOptions)], rules as AccessRule[]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe("a class that says nothing", () => {
  test("[ACC3] lets in objects and the Worker's own code, and no client, whoever it is", () => {
    const registry = new Registry([doorOf()]);
    for (const kind of ["object", "worker", "system"] as const) expect(decide(registry, { kind })).toBe("in");
    expect([decide(registry, anyone), decide(registry, ann)]).toEqual(["ACCESS_DENIED", "ACCESS_DENIED"]);
    expect(() => registry.methodFor(ann, registry.type("Door"), "a", "knock")).toThrow(
      /Let "static access" of the class/,
    );
  });

  test("[ACC3] is told which line of it would let clients watch", () => {
    const { watch } = new Registry([doorOf()]).type("Door").access;
    expect(() => checkAccess(watch, ann, "a")).toThrow(
      'No client may watch a Door: nothing says who may. Let "static live" of the class say it, such as { anonymous: true }',
    );
  });

  test("[ACC1] is opened by a line of its own, and closed again by its methods", () => {
    expect(decide(new Registry([doorOf({ anonymous: true })]), anyone)).toBe("in");
    expect(decide(new Registry([doorOf({})]), anyone)).toBe("UNAUTHENTICATED");
    expect(decide(new Registry([doorOf({})]), ann)).toBe("in");
    expect(decide(new Registry([doorOf({ anonymous: true }, { roles: ["admin"] })]), ann)).toBe("ACCESS_DENIED");
    expect(decide(new Registry([doorOf({ internal: true }, { anonymous: true })]), anyone)).toBe("in");
    expect(decide(new Registry([doorOf({ internal: true })]), ann)).toBe("ACCESS_DENIED");
    // Not internal is nothing to say.
    expect(decide(new Registry([doorOf({ anonymous: true }, { internal: false })]), anyone)).toBe("in");
  });
});

describe("the host's rules", () => {
  const rules = (...list: AccessRule[]) => new Registry([doorOf({ anonymous: true })], list);

  test("[ACC1] decide before the class, the first that fits, by type, id and method", () => {
    const registry = rules(
      { type: "Door", id: "public-*", access: "ALLOW", anonymous: true },
      { type: "D*", id: "*-secret", method: "kn*ck", access: "REJECT" },
      { type: "Door", id: "a", access: "ALLOW", roles: ["admin"] },
    );
    expect(decide(registry, anyone, "public-secret")).toBe("in");
    expect(decide(registry, ann, "top-secret")).toBe("ACCESS_DENIED");
    expect(decide(registry, { kind: "object" }, "top-secret")).toBe("ACCESS_DENIED");
    expect(decide(registry, anyone, "top-secret", "look")).toBe("in");
    expect(decide(registry, ann, "a")).toBe("ACCESS_DENIED");
    expect(decide(registry, anyone, "b")).toBe("in");
    expect(decide(registry, anyone, "aa")).toBe("in");
  });

  test("[ACC1] are for methods or for a lifecycle, never for both", () => {
    const registry = rules({ type: "*", lifecycle: "ALL", access: "REJECT" });
    const { access } = registry.type("Door");
    expect(decide(registry, anyone)).toBe("in");
    for (const action of ["create", "delete"] as const)
      expect(() => checkAccess(access[action], { kind: "object" }, "a")).toThrow(`No object may ${action} a Door`);
  });

  test.each([
    [{ type: "Dor", access: "ALLOW" }, 'no class of type "Dor"; did you mean "Door"?'],
    [{ type: "Door", method: "knok", access: "ALLOW" }, 'no method "knok" there; did you mean "knock"?'],
    [{ type: "Door", access: "allow" }, "access: "],
    [{ type: "Door" }, "access: "],
    [{ access: "ALLOW" }, "type: "],
    [{ type: "", access: "ALLOW" }, "type: "],
    [{ type: "Door", access: "ALLOW", role: "admin" }, "role"],
    [{ type: "Door", access: "ALLOW", roles: [] }, "no client could have one of no roles"],
    [{ type: "Door", access: "ALLOW", anonymous: true, roles: ["a"] }, "anonymous lets every client in"],
    [{ type: "Door", access: "REJECT", anonymous: true }, "it lets no client in, and names some"],
    [{ type: "Door", access: "INTERNAL", roles: ["a"] }, "it lets no client in, and names some"],
    [{ type: "Door", method: "knock", lifecycle: "CREATE", access: "ALLOW" }, "make two rules"],
    [{ type: "*".repeat(513), access: "ALLOW" }, "type: "],
    [{ type: "Door", access: "ALLOW", or: { rols: ["a"] } }, "or: "],
  ])("[ACC1] are refused when the host is defined if they can't be meant: %j", (rule, why) => {
    expect(fault({}, {}, [{ type: "Door", access: "ALLOW" }, rule])).toMatch(/^Cannot use access rule 1: /);
    expect(fault({}, {}, [rule])).toContain(why);
  });

  test.each([
    [{ anonymous: true, owner: true }, {}, "class Door: its access anonymous"],
    [{ create: { role: "admin" } }, {}, "class Door: its access create"],
    [{ anonymos: true }, {}, "anonymos"],
    [{}, { internal: true, roles: ["a"] }, "class Door.knock: its access it lets no client in"],
    [{}, { roles: "admin" }, "class Door.knock: its access roles"],
  ])("[ACC1] so are classes: %j %j", (access, options, why) => {
    expect(fault(access, options)).toContain(why);
  });
});

describe("names of the prototype", () => {
  const hostile = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then"];

  test.each(hostile)("[ACC1] %s is no role, no owner and no method that anybody has", (name) => {
    const registry = new Registry([doorOf({ roles: ["admin"] }, { owner: true })]);
    const mallory: Subject = { kind: "client", identity: { id: name, roles: [name] } };
    expect(decide(registry, mallory, "a", "look")).toBe("ACCESS_DENIED");
    expect(decide(registry, mallory, "a", "knock")).toBe("ACCESS_DENIED");
    expect(decide(registry, mallory, "a", name)).toBe("METHOD_NOT_FOUND");
    expect(() => registry.type(name)).toThrow(EdgeverseError);
    expect(fault({}, {}, [{ type: name, access: "ALLOW" }])).toContain("no class of type");
  });
});

describe("creating and deleting", () => {
  async function outcomes(access: TypeAccess, subject: "ann" | "anyone", rules: AccessRule[] = [], autoCreate = true) {
    const Door = doorOf(access, {}, autoCreate);
    using cluster = new TestCluster({ objects: [Door], access: rules });
    const options = { identity: subject === "ann" ? { id: "ann", roles: ["player"] } : null };
    const told = (call: Promise<unknown>) => call.catch((error: unknown) => EdgeverseError.from(error).code);
    const called = await told(cluster.object(Door, "a", options).knock());
    const there = await cluster.object(Door, "a").look();
    const created = await told(cluster.create(Door, "b", undefined, options));
    await cluster.create(Door, "c");
    return { called, there, created, deleted: await told(cluster.delete(Door, "c", options)) };
  }

  test("[ACC1] [LIFE1] a call that may run may create its object; no client deletes one, unless somebody says so", async () => {
    expect(await outcomes({ anonymous: true }, "anyone")).toEqual({
      called: "in",
      there: true,
      created: true,
      deleted: "ACCESS_DENIED",
    });
    expect((await outcomes({ anonymous: true, delete: { anonymous: true } }, "anyone")).deleted).toBeUndefined();
  });

  test("[ACC1] [LIFE1] who may create is said of calls too: nothing is made, and nothing ran", async () => {
    const guarded = { anonymous: true, create: { roles: ["player"] } };
    const refused = { called: "UNAUTHENTICATED", there: false, created: "UNAUTHENTICATED", deleted: "ACCESS_DENIED" };
    expect(await outcomes(guarded, "anyone")).toEqual(refused);
    expect(await outcomes(guarded, "ann")).toMatchObject({ called: "in", there: true, created: true });
  });

  test("[ACC1] the host's rules of a lifecycle decide before the class", async () => {
    const rules: AccessRule[] = [{ type: "Door", lifecycle: "CREATE", access: "INTERNAL" }];
    expect(await outcomes({ anonymous: true, create: { anonymous: true } }, "ann", rules)).toMatchObject({
      called: "ACCESS_DENIED",
      created: "ACCESS_DENIED",
    });
  });

  test("[ACC3] where nothing is said, no client creates", async () => {
    const Door = doorOf();
    using cluster = new TestCluster({ objects: [Door] });
    await expect(cluster.create(Door, "a", undefined, { identity: null })).rejects.toMatchObject({
      code: "ACCESS_DENIED",
    });
    expect(await cluster.create(Door, "a")).toBe(true);
  });
});

describe("a pattern", () => {
  /** What a pattern means, by the engine of regular expressions: fine for a few characters. */
  const meaning = (pattern: string) =>
    new RegExp(
      `^${pattern
        .split("*")
        .map((piece) => piece.replaceAll(/[.(]/g, "\\$&"))
        .join("[^]*")}$`,
    );
  const letters = fc.string({ unit: fc.constantFrom("a", "b", ".", "(", "é", "/"), maxLength: 9 });
  const patterns = fc.string({ unit: fc.constantFrom("a", "b", ".", "(", "é", "*"), maxLength: 7 });

  test("[ACC1] matches a text as a whole, * for any characters, and every other character for itself", () => {
    fc.assert(
      fc.property(patterns, letters, (pattern, text) => {
        const matches = glob(pattern);
        expect(matches === undefined || matches(text)).toBe(meaning(pattern).test(text));
        if (matches === undefined) expect(pattern).toMatch(/^\*+$/);
      }),
      { numRuns: 3_000 },
    );
  });

  test("[ACC1] takes no long time over a text that almost fits", () => {
    const matches = glob(`${"a*".repeat(250)}b`);
    expect(matches?.("a".repeat(200_000))).toBe(false);
    expect(matches?.(`${"a".repeat(200_000)}b`)).toBe(true);
  });
});
