import { type EdgeverseError, method, VirtualObject } from "edgeverse";
import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Registry } from "../../src/object/registry.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { checkState, deletable, isReadable, load, parseState } from "../../src/partition/turns/activate.ts";
import { Activation, Instance } from "../../src/partition/turns/activation.ts";
import type { Turn } from "../../src/partition/turns/turn.ts";

let upgrades: unknown[][] = [];

/** In its third version: `n` was called `count` in the first. */
class Box extends VirtualObject {
  static override readonly type: string = "Box";
  static override readonly version = 3;
  static override readonly state = z.object({ n: z.number().default(0), tag: z.string().optional() });
  static override readonly methods = { touch: method() };
  static override upgrade(old: unknown, from: number) {
    upgrades.push([old, from]);
    const { count, fails, ...rest } = old as Record<string, unknown>;
    if (fails === true) throw new Error("no way");
    return count === undefined ? rest : { ...rest, n: count };
  }
  touch() {}
}
class Farewell extends Box {
  static override readonly type: string = "Farewell";
  protected override onDelete() {}
}
const registry = new Registry([Box, Farewell]);

/** An object as its row has it; without a row there is none. */
function object(row?: { text: string; version?: number }, type = "Box") {
  upgrades = [];
  const activation = new Activation<Turn>(registry.type(type), "a", 7, 1, 1);
  activation.loaded = true;
  if (row === undefined) return activation;
  activation.exists = true;
  activation.text = row.text;
  activation.version = row.version ?? 3;
  return activation;
}
const invalid = (why: string, details?: unknown) =>
  expect.objectContaining({ code: "STATE_INVALID", message: expect.stringContaining(why), details });

describe("the row of an object", () => {
  test("[LIFE1] is read once", () => {
    const storage = new SqliteStorage();
    migrate(storage);
    storage.query(
      "INSERT INTO objects (position, type, id, version, state, created, updated) VALUES (7, 'Box', 'a', 2, '{\"n\":4}', 0, 0)",
    );
    const activation = new Activation<Turn>(registry.type("Box"), "a", 7, 1, 1);
    expect([load(activation, storage), load(activation, storage)]).toEqual([true, false]);
    expect(activation).toMatchObject({ loaded: true, exists: true, text: '{"n":4}', version: 2, absent: false });
    const other = new Activation<Turn>(registry.type("Box"), "b", 7, 1, 1);
    expect([other.absent, load(other, storage), other.absent, other.exists]).toEqual([false, true, true, false]);
  });

  test("[LIFE1] that can't be read is tried again with the next call", () => {
    const storage = new SqliteStorage();
    const activation = object();
    activation.loaded = false;
    const unavailable = { code: "UNAVAILABLE", cause: expect.any(Error), message: expect.stringContaining("Box/a") };
    expect(() => load(activation, storage)).toThrow(expect.objectContaining(unavailable));
    expect(activation.loaded).toBe(false);
  });
});

describe("the state of an object", () => {
  test("[OBJ4] of this version is parsed as it is, with defaults", () => {
    expect(parseState(object({ text: '{"n":4}' }))).toEqual({ n: 4 });
    expect(upgrades).toEqual([]);
    expect(parseState(object({ text: '{"tag":"t"}' }))).toEqual({ n: 0, tag: "t" });
    expect(parseState(object())).toEqual({ n: 0 });
    expect(upgrades).toEqual([]);
  });

  test("[OBJ4] of an older version goes through `upgrade`, which may leave something out", () => {
    expect(parseState(object({ text: '{"count":4,"old":1}', version: 1 }))).toEqual({ n: 4 });
    expect(upgrades).toEqual([[{ count: 4, old: 1 }, 1]]);
  });

  test("[OBJ4] that can't be read, upgraded or parsed is refused, and says why", () => {
    const unread = "can't be read or upgraded";
    expect(() => parseState(object({ text: "{" }))).toThrow(invalid(unread));
    expect(() => parseState(object({ text: '{"fails":true}', version: 2 }))).toThrow(invalid(unread));
    expect(() => parseState(object({ text: '{"n":1}', version: 4 }))).toThrow(
      invalid("version 4 of the code wrote it"),
    );
    const issues = [{ path: ["n"], message: expect.any(String) }];
    expect(() => parseState(object({ text: '{"n":"x"}' }))).toThrow(invalid("does not fit", { issues }));
    let cause: unknown;
    try {
      parseState(object({ text: '{"fails":true}', version: 2 }));
    } catch (error) {
      ({ cause } = error as EdgeverseError);
    }
    expect(cause).toMatchObject({ message: "no way" });
  });

  test("[OBJ4] is not used if today's schema would drop something of it", () => {
    const dropped = { dropped: ["old"] };
    expect(() => parseState(object({ text: '{"n":1,"old":2}' }))).toThrow(invalid("would drop old", dropped));
    expect(() => checkState(object(), { n: 1, old: 2 })).toThrow(invalid("which the method put there", dropped));
    expect(() => checkState(object(), { n: "x" })).toThrow(invalid("does not fit", expect.anything()));
    expect(checkState(object(), { n: 1 })).toBeUndefined();
  });

  test("[OBJ4] names ten faults of it at most", () => {
    const list = z.object({ list: z.array(z.number()).default([]) });
    class Long extends Box {
      static override readonly type: string = "Long";
      static override readonly state = list as never;
    }
    const activation = new Activation<Turn>(new Registry([Long]).type("Long"), "a", 7, 1, 1);
    const faults = () => checkState(activation, { list: Array(15).fill("x") });
    expect(faults).toThrow(invalid("does not fit", { issues: expect.objectContaining({ length: 10 }) }));
  });

  test("[LIFE3] decides whether `onDelete` can run", () => {
    const fine = { text: '{"n":1}' };
    const broken = { text: "{" };
    expect([isReadable(object(fine)), isReadable(object(broken))]).toEqual([true, false]);
    expect([deletable(object(fine, "Farewell")), deletable(object(broken, "Farewell"))]).toEqual([true, false]);
    expect([deletable(object(fine)), deletable(object(broken))]).toEqual([false, false]);
    const inMemory = object(broken, "Farewell");
    inMemory.instance = new Instance("{}");
    expect(deletable(inMemory)).toBe(true);
  });
});
