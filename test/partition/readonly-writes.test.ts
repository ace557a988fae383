import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const way = z.object({ way: z.string() });
const state = z.object({ value: z.number().default(0), list: z.array(z.number()).default([3, 1, 2]) });

class Careless extends VirtualObject.withState(state) {
  static override readonly type = "Careless";
  static override readonly reentrant = true;
  static override readonly methods = {
    touch: method(),
    peek: method({ readonly: true, request: way }),
    slowPeek: method({ readonly: true, request: way }),
    peekAround: method({ readonly: true, request: way }),
    write: method({ request: way }),
  };
  touch() {
    this.state.value++;
  }
  peek({ way }: { way: string }): unknown {
    const frozen = Object.freeze({ own: 1 });
    switch (way) {
      case "assign":
        return ++this.state.value;
      case "add":
        return Object.assign(this.state, { other: 1 });
      case "delete":
        return delete (this.state as { value?: number }).value;
      case "define":
        return Object.defineProperty(this.state, "value", { value: 9 });
      case "push":
        return this.state.list.push(4);
      case "pop":
        return this.state.list.pop();
      case "sort":
        return this.state.list.sort();
      case "replace":
        this.state = { value: 1, list: [] };
        return 1;
      case "put":
        return this.store.put("k", 1);
      case "remove":
        return this.store.delete("k");
      case "vanish":
        return this.deleteSelf();
      case "own fault":
        return (frozen as unknown as { own: { deep: { deeper: number } } }).own.deep.deeper;
      default:
        throw new Error("another fault");
    }
  }
  async slowPeek(request: { way: string }) {
    await Promise.resolve();
    return this.peek(request);
  }
  async peekAround(request: { way: string }) {
    return await this.object(Careless, this.id).write(request);
  }
  write(request: { way: string }) {
    return this.peek(request);
  }
}

/** What the host's log gets of a call that fails; what the caller gets says nothing of it. */
async function logged(name: "peek" | "slowPeek" | "peekAround", way: string, exists = true): Promise<Error> {
  const cluster = new TestCluster({ objects: [Careless] });
  if (exists) await cluster.object(Careless, "c").touch();
  const { error } = (await Promise.all([cluster.send("Careless", "c", name, { way }), cluster.clock.advance(5)]).then(
    ([reply]) => reply,
  )) as { error: { code: string; message: string } };
  expect(error).toEqual({ code: "INTERNAL", message: "Careless/c failed unexpectedly", retryable: false });
  return cluster.thrown[0] as Error;
}

describe("a write in a readonly method", () => {
  test.each(["assign", "add", "delete", "define", "push", "pop", "sort", "replace"])(
    "[TURN2] to the state: the log says which method is declared readonly: %s",
    async (way) => {
      for (const [name, exists] of [
        ["peek", true],
        ["slowPeek", true],
        ["peek", false],
      ] as const) {
        const error = await logged(name, way, exists);
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toContain(`Cannot change the state of Careless/c: Careless.${name} is declared readonly`);
        expect(error.stack).toContain("readonly-writes.test.ts");
      }
    },
  );

  test.each([
    ["put", "change the store of"],
    ["remove", "change the store of"],
    ["vanish", "delete"],
  ])("[TURN2] of another kind is named too: %s", async (way, what) => {
    const { message } = await logged("slowPeek", way);
    expect(message).toBe(`Cannot ${what} Careless/c: Careless.slowPeek is declared readonly`);
  });

  test.each(["assign", "put"])("[TURN2] inside a readonly call: the log names both methods: %s", async (way) => {
    const { message } = await logged("peekAround", way);
    expect(message).toContain("write runs inside a call of peekAround, and Careless.peekAround is declared readonly");
  });

  test.each([
    ["own fault", "Cannot read properties of undefined"],
    ["else", "another fault"],
  ])("[TURN2] other faults are logged as they are: %s", async (way, why) => {
    expect((await logged("peek", way)).message).toMatch(new RegExp(`^${why}`));
  });
});
