import { type MethodOptions, method, VirtualObject } from "edgeverse";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Counter } from "../../examples/counter.ts";
import type { ObjectClass } from "../../src/object/object-class.ts";
import { Registry } from "../../src/object/registry.ts";
import { construct } from "../../src/object/virtual-object.ts";

/** A class made from a description, also from one that TypeScript would refuse. */
function classOf(statics: {
  type?: unknown;
  methods?: Record<string, unknown>;
  timeout?: string;
  retention?: string;
  log?: string;
}) {
  const { type = "Made", methods = {}, ...rest } = statics;
  class Made extends VirtualObject {
    run() {
      return 1;
    }
    peek() {
      return 2;
    }
    get value() {
      return 3;
    }
  }
  Object.defineProperties(
    Made,
    Object.fromEntries(Object.entries({ type, methods, ...rest }).map(([key, value]) => [key, { value }])),
  );
  return Made as unknown as ObjectClass;
}

const serve = (statics: Parameters<typeof classOf>[0]) => () => new Registry([classOf(statics)]);

describe("Registry", () => {
  test("[OBJ1] knows a type's methods with their options, and which hooks it has", () => {
    class Full extends VirtualObject {
      static override readonly type: string = "Full";
      static override readonly timeout = "5s";
      static override readonly log = "write-ahead";
      static override readonly methods: Record<string, MethodOptions> = {
        run: method({ request: z.object({}), timeout: "250ms", log: "write-behind" }),
        peek: method({ readonly: true }),
      };
      run() {}
      peek() {}
      protected override onActivate() {}
    }
    class Heir extends Full {
      static override readonly type = "Heir";
      protected override onDelete() {}
    }
    const registry = new Registry([Full, Heir, Counter]);
    expect(registry.types.map(({ type }) => type)).toEqual(["Full", "Heir", "Counter"]);
    const full = registry.type("Full");
    expect([...full.hooks]).toEqual(["onActivate"]);
    expect([...registry.type("Heir").hooks].sort()).toEqual(["onActivate", "onDelete"]);
    expect(registry.type("Counter").hooks.size).toBe(0);
    expect(registry.method(full, "run")).toMatchObject({
      name: "run",
      readonly: false,
      timeout: 250,
      log: "write-behind",
    });
    expect(registry.method(full, "peek")).toMatchObject({ readonly: true, timeout: 5_000, log: "write-ahead" });
    expect(registry.method(registry.type("Counter"), "get")).toMatchObject({ timeout: undefined, log: "write-behind" });
  });

  test("a type that is not served is TYPE_NOT_FOUND; one that could not be is INVALID_ID", () => {
    const registry = new Registry([Counter]);
    for (const name of ["Nobody", "counter", "toString", "constructor"]) {
      expect(() => registry.type(name)).toThrow(expect.objectContaining({ code: "TYPE_NOT_FOUND" }));
    }
    for (const name of ["", "a-b", "__proto__"]) {
      expect(() => registry.type(name)).toThrow(expect.objectContaining({ code: "INVALID_ID" }));
    }
  });

  test("[OBJ1] anything not declared is METHOD_NOT_FOUND, whatever the prototype holds", () => {
    const registry = new Registry([Counter]);
    const counter = registry.type("Counter");
    for (const name of ["Add", "constructor", "__proto__", "toString", "onCreate", "state", "id", "fail", "", "#x"]) {
      expect(() => registry.method(counter, name)).toThrow(expect.objectContaining({ code: "METHOD_NOT_FOUND" }));
    }
    expect(() => registry.method(counter, "x".repeat(10_000))).toThrow(/^.{0,160}$/);
  });

  test.each(["", "a-b", "1a", "a".repeat(65), 5])("[ID1] a class needs a valid type: %j", (type) => {
    expect(serve({ type })).toThrow(
      `Cannot serve class Made: its static type ${JSON.stringify(type)} is not a valid name`,
    );
  });

  test("a class that forgot its type is refused", () => {
    class Forgetful extends VirtualObject {}
    expect(() => new Registry([Forgetful])).toThrow('class Forgetful: its static type ""');
  });

  test("two classes of one type, also the same class twice, are refused", () => {
    expect(() => new Registry([Counter, Counter])).toThrow('Cannot serve two classes of type "Counter"');
    expect(() => new Registry([Counter, classOf({ type: "Counter" })])).toThrow("two classes");
    expect(() => new Registry([classOf({ type: "counter" }), Counter])).not.toThrow();
  });

  test.each(["missing", "value", "RUN"])("[OBJ1] a declared method must exist as a function: %s", (name) => {
    expect(serve({ methods: { [name]: {} } })).toThrow(`it declares "${name}" but has no such method`);
  });

  test.each([
    "onCreate",
    "onActivate",
    "onDeactivate",
    "onDelete",
    "state",
    "store",
    "context",
    "object",
    "fail",
    "id",
    "env",
    "now",
    "deleteSelf",
    "constructor",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "then",
  ])("[OBJ1] reserved names can't be declared: %s", (name) => {
    expect(serve({ methods: { [name]: {} } })).toThrow(`"${name}" is reserved`);
  });

  test("[OBJ1] __proto__ can't be declared, however it is spelled", () => {
    const methods: Record<string, unknown> = JSON.parse('{"__proto__":{}}');
    expect(serve({ methods })).toThrow('"__proto__" is reserved');
  });

  test.each(["", "a b", "a-b", "1a", "ä", "a".repeat(65), "a\n"])(
    "a method's name must be a plain word: %j",
    (name) => {
      expect(serve({ methods: { [name]: {} } })).toThrow(`Cannot serve class Made: bad method name`);
    },
  );

  test.each(["", "5", "0s", "-1s", "for ever"])("[CALL9] bad retentions are named: %j", (retention) => {
    expect(serve({ retention })).toThrow(`Cannot serve class Made: the retention "${retention}" must be`);
  });

  test.each(["", "5", "0s", "-1s", "soon"])("[TURN5] bad timeouts are named: %j", (timeout) => {
    expect(serve({ timeout })).toThrow(`Cannot serve class Made: the timeout "${timeout}" must be`);
    expect(serve({ methods: { run: { timeout } } })).toThrow(
      `Cannot serve class Made, method run: the timeout "${timeout}" must be`,
    );
  });
});

describe("a state schema", () => {
  const word = z.string();
  test.each<[string, z.ZodType, string]>([
    [
      "a member without a default",
      z.object({ owner: word }),
      "refuses {}, what a new object's state is made of: owner: ",
    ],
    ["no object", word, "refuses {}, what a new object's state is made of: Invalid input: expected string"],
    ["asynchronous", z.object({}).refine(async () => true), "is asynchronous"],
    ["a date", z.object({ at: z.date().default(new Date(0)) }), "that is not JSON: at is an instance of Date"],
    [
      "what it refuses itself",
      z.object({ n: z.string().prefault("1").transform(Number) }),
      "refuses what it makes of {}: n: ",
    ],
  ])("[OBJ4] that no object could use is refused where the host is defined: %s", (_, state, why) => {
    class Made extends VirtualObject<unknown> {
      static override readonly type = "Made";
      static override readonly state = state;
    }
    expect(attempt(() => new Registry([Made]))).toMatch(/^Cannot serve class Made: its state schema /);
    expect(() => new Registry([Made])).toThrow(why);
  });

  test.each<[string, z.ZodType]>([
    ["defaults", z.object({ n: z.number().default(0), at: z.number().optional() })],
    ["no object", z.unknown()],
    ["a union", z.union([z.object({ kind: z.literal("a") }), z.object({ n: z.number().default(1) })])],
    [
      "code that needs a turn",
      z.object({
        token: z.string().default(() => {
          throw new Error("no random values here");
        }),
      }),
    ],
  ])("[OBJ4] that makes a state of {} is served: %s", (_, state) => {
    class Made extends VirtualObject<unknown> {
      static override readonly type = "Made";
      static override readonly state = state;
    }
    expect(() => new Registry([Made])).not.toThrow();
  });
});

test("[OBJ2] a request schema that is asynchronous is refused where the host is defined", () => {
  const request = z.object({}).refine(async () => true);
  expect(serve({ methods: { run: { request } } })).toThrow(
    "Cannot serve class Made.run: its request schema is asynchronous",
  );
});

describe("a create schema", () => {
  const owner = z.object({ owner: z.string() });
  test.each<[string, object, string | undefined]>([
    ["calls make objects, and it needs a request", {}, "refuses what the first call makes an object with, no request"],
    ["only creating makes objects", { autoCreate: false }, undefined],
    ["autoLoad makes one", { autoCreate: false, autoLoad: "global" }, "refuses what autoLoad makes an object with"],
    ["it takes {}", { create: z.object({ owner: z.string().optional() }) }, undefined],
    ["it takes nothing", { create: owner.optional() }, undefined],
    ["it is asynchronous", { create: z.object({}).refine(async () => true), autoCreate: false }, "is asynchronous"],
  ])("[LIFE5] that objects could not be made with is refused where the host is defined: %s", (_, statics, why) => {
    class Made extends VirtualObject {
      static override readonly type = "Made";
      static override readonly create: z.ZodType = owner;
    }
    for (const [key, value] of Object.entries(statics)) Object.defineProperty(Made, key, { value });
    const refused = attempt(() => new Registry([Made]));
    if (why === undefined) expect(refused).not.toContain("Cannot serve");
    else expect(refused).toContain(`Cannot serve class Made: its create schema ${why}`);
  });
});

describe("VirtualObject", () => {
  test("instances are made by Edgeverse only: `new` is refused", () => {
    expect(() => new Counter()).toThrow('Counter is made by Edgeverse, not with "new"');
  });

  const scope = {
    id: "a",
    env: undefined,
    turn: () => {
      throw new Error("no turn");
    },
  };

  test("`new` stays refused while an instance is being made, and after one that failed", () => {
    class Maker extends Counter {
      readonly other = attempt(() => new Counter());
    }
    expect((construct(Maker, scope) as Maker).other).toContain('not with "new"');
    class Failing extends Counter {
      readonly never = fail();
    }
    expect(() => construct(Failing, scope)).toThrow("constructor failed");
    class Early extends Counter {
      constructor() {
        fail();
        super();
      }
    }
    expect(() => construct(Early, scope)).toThrow("constructor failed");
    expect(() => new Counter()).toThrow('not with "new"');
  });

  test("[TURN2] state is out of reach outside a turn", () => {
    const instance = construct(Counter, scope) as unknown as { id: string; state: unknown };
    expect(instance.id).toBe("a");
    expect(() => instance.state).toThrow("no turn");
  });
});

function attempt(action: () => unknown): string {
  try {
    return String(action());
  } catch (error) {
    return (error as Error).message;
  }
}

function fail(): never {
  throw new Error("constructor failed");
}
