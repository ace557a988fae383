import { method, VirtualObject } from "edgeverse";
import { describe, expect, test } from "vitest";
import { Registry } from "../../src/object/registry.ts";

class Made extends VirtualObject {
  static override readonly type = "Made";
  static override readonly methods = { run: method(), peek: method() };
  run() {
    return 1;
  }
  peek() {
    return 2;
  }
}

describe("stubs", () => {
  const definition = new Registry([Made]).type("Made");

  test("[OBJ1] [OBJ5] expose exactly the declared methods", () => {
    const stub = definition.makeStub(async () => undefined);
    const names = new Set<string>();
    for (let part: object = stub; part !== Object.prototype; part = Object.getPrototypeOf(part) as object) {
      for (const key of Reflect.ownKeys(part)) names.add(String(key));
    }
    names.delete("constructor");
    expect([...names].sort()).toEqual(["peek", "run"]);
    expect("value" in stub).toBe(false);
    // Awaiting a stub by mistake must not make a call.
    expect("then" in stub).toBe(false);
  });

  test("[OBJ5] a call carries the method's name and its one request, and gives back the answer", async () => {
    const calls: unknown[][] = [];
    const stub = definition.makeStub(async (...call) => {
      calls.push(call);
      return `${call[0]} answered`;
    }) as { run(...request: unknown[]): Promise<unknown>; peek(): Promise<unknown> };
    expect(await stub.run({ n: 1 }, "more")).toBe("run answered");
    expect(await stub.peek()).toBe("peek answered");
    expect(calls).toEqual([
      ["run", { n: 1 }],
      ["peek", undefined],
    ]);
  });

  test("[OBJ5] stubs of one type do not share their calls, and a method can't be borrowed", async () => {
    const one = definition.makeStub(async () => 1) as { run(): Promise<unknown> };
    const two = definition.makeStub(async () => 2) as { run(): Promise<unknown> };
    expect([await one.run(), await two.run()]).toEqual([1, 2]);
    expect(() => one.run.call({} as typeof one)).toThrow(TypeError);
  });
});
