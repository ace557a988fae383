/**
 * Compile-time tests of [OBJ6]: a class whose schemas and types disagree does not compile where it is served. `tsc --noEmit`
 * checks this file, nothing runs it; `compile.test.ts` proves that such a check can fail.
 */
import { method, type RequestOf, type StateOf, type Stub, VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import * as z from "zod";
import { ChatRoom } from "../../examples/chat-room.ts";
import { Counter } from "../../examples/counter.ts";
import { Journal } from "../../examples/journal.ts";
import { Wallet } from "../../examples/wallet.ts";
import type { Faults } from "../../src/object/contract.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_Claim extends true>(): void {}

// The examples agree with themselves.
defineHost({ objects: [Counter, Wallet, ChatRoom, Journal] });
check<Equal<Faults<typeof Counter>, never>>();
check<Equal<Faults<typeof Journal>, never>>();

const state = z.object({ value: z.number().default(0), note: z.string().optional() });

// The state's type, written once.
class Inferred extends VirtualObject.withState(state) {
  static override readonly type = "Inferred";
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().default(1) }) }),
    list: method({ readonly: true, request: z.object({ from: z.coerce.date().optional() }) }),
    read: method({ readonly: true }),
  };
  add({ by }: RequestOf<typeof Inferred.methods.add>) {
    this.state.value += by;
    // @ts-expect-error of another type
    this.state.value = "1";
    // @ts-expect-error no such member
    this.state.other = 1;
    return this.read();
  }
  list({ from }: { from?: Date | undefined }) {
    return { from: from?.getTime(), list: [1, 2] };
  }
  read() {
    return { value: this.state.value };
  }
}
defineHost({ objects: [Inferred] });
check<Equal<StateOf<typeof Inferred>, { value: number; note?: string | undefined }>>();

// A caller writes what the schema takes and reads what JSON leaves.
type InferredStub = Stub<typeof Inferred>;
check<Equal<Parameters<InferredStub["add"]>, [request?: { by?: number | undefined }]>>();
check<Equal<Parameters<InferredStub["read"]>, []>>();
check<Equal<ReturnType<InferredStub["list"]>, Promise<{ list: number[]; from?: number }>>>();

class StateDiffers extends VirtualObject<{ value: string }> {
  static override readonly type = "StateDiffers";
  static override readonly state = state;
}
// @ts-expect-error value is a number in the schema
defineHost({ objects: [StateDiffers] });
check<
  Equal<
    Faults<typeof StateDiffers>,
    "StateDiffers: its state schema gives another state than the type of its state says"
  >
>();

class StateHasMore extends VirtualObject<{ value: number; note?: string | undefined; more?: number | undefined }> {
  static override readonly type = "StateHasMore";
  static override readonly state = state;
}
// @ts-expect-error the schema strips `more`
defineHost({ objects: [StateHasMore] });
check<
  Equal<Faults<typeof StateHasMore>, "StateHasMore: the type of its state has what its state schema strips: more">
>();

class StateHasNoSchema extends VirtualObject<{ value: number }> {
  static override readonly type = "StateHasNoSchema";
}
// @ts-expect-error without a schema nothing is kept
defineHost({ objects: [StateHasNoSchema] });

class StateAllowsMore extends VirtualObject<{ kind: string }> {
  static override readonly type = "StateAllowsMore";
  static override readonly state = z.object({ kind: z.enum(["a", "b"]).default("a") });
}
// @ts-expect-error the schema refuses kinds that the type allows
defineHost({ objects: [StateAllowsMore] });

class RequestDiffers extends VirtualObject {
  static override readonly type = "RequestDiffers";
  static override readonly methods = { add: method({ request: z.object({ by: z.number() }) }) };
  add({ by }: { by: string }) {
    return by;
  }
}
// @ts-expect-error by is a number in the schema
defineHost({ objects: [Counter, RequestDiffers] });
check<
  Equal<
    Faults<typeof RequestDiffers>,
    "RequestDiffers.add: its request schema gives another request than its parameter takes"
  >
>();

class RequestHasMore extends VirtualObject {
  static override readonly type = "RequestHasMore";
  static override readonly methods = { add: method({ request: z.object({ at: z.object({ x: z.number() }) }) }) };
  add({ at }: { at: { x: number; y?: number | undefined } }) {
    return at.x;
  }
}
// @ts-expect-error y never arrives
defineHost({ objects: [RequestHasMore] });
check<
  Equal<Faults<typeof RequestHasMore>, "RequestHasMore.add: its parameter has what its request schema strips: at.y">
>();

class NoSchema extends VirtualObject {
  static override readonly type = "NoSchema";
  static override readonly methods = { add: method() };
  add({ by }: { by: number }) {
    return by;
  }
}
// @ts-expect-error a parameter without a schema
defineHost({ objects: [NoSchema] });

class SecondParameter extends VirtualObject {
  static override readonly type = "SecondParameter";
  static override readonly methods = { add: method({ request: z.object({ by: z.number() }) }) };
  add({ by }: { by: number }, twice: boolean) {
    return twice ? 2 * by : by;
  }
}
// @ts-expect-error a second parameter
defineHost({ objects: [SecondParameter] });

class Missing extends VirtualObject {
  static override readonly type = "Missing";
  static override readonly methods = { add: method(), hidden: method() };
  private hidden() {
    return this.id;
  }
  open() {
    return this.hidden();
  }
}
// @ts-expect-error declared, but not there
defineHost({ objects: [Missing] });

class NotJson extends VirtualObject {
  static override readonly type = "NotJson";
  static override readonly methods = { when: method(), list: method(), nothing: method(), later: method() };
  when() {
    return new Date();
  }
  list() {
    return { rows: [new Map<string, number>()] };
  }
  nothing() {}
  async later(): Promise<{ a: number } | undefined> {
    return undefined;
  }
}
// @ts-expect-error a date and a map are no JSON
defineHost({ objects: [NotJson] });
check<
  Equal<
    Faults<typeof NotJson>,
    | "NotJson.when: its response is not JSON: (an instance of a class)"
    | "NotJson.list: its response is not JSON: rows.[].(an instance of a class)"
  >
>();
check<Equal<ReturnType<Stub<typeof NotJson>["later"]>, Promise<{ a: number } | null>>>();

/** `this.fail` ends the method for the compiler too: what follows can't be reached, also without `throw`. */
export class Refusing extends VirtualObject {
  static override readonly type = "Refusing";
  run(name: string | undefined): number {
    if (name === undefined) this.fail("NO_NAME", "a name is needed");
    return name.length;
  }
}

class ListWithHoles extends VirtualObject {
  static override readonly type = "ListWithHoles";
  static override readonly methods = { list: method() };
  list(): (string | undefined)[] {
    return ["a", undefined];
  }
}
// @ts-expect-error JSON has no undefined items
defineHost({ objects: [ListWithHoles] });

class RecordHasMore extends VirtualObject<Record<string, { a: number; b?: number | undefined }>> {
  static override readonly type = "RecordHasMore";
  static override readonly state = z.record(z.string(), z.object({ a: z.number() }));
}
// @ts-expect-error b is stripped
defineHost({ objects: [RecordHasMore] });

// Unions, recursion, unknown and records are no disagreement.
type Tree = { name: string; children: Tree[] };
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));
class Agrees extends VirtualObject<{ trees: Tree[]; counts: Record<string, number> }> {
  static override readonly type = "Agrees";
  static override readonly state = z.object({
    trees: z.array(tree).default([]),
    counts: z.record(z.string(), z.number()).default({}),
  });
  static override readonly methods = {
    shape: method({
      request: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("circle"), radius: z.number() }),
        z.object({ kind: z.literal("square"), side: z.number() }),
      ]),
    }),
    any: method({ request: z.unknown() }),
    wide: method({ request: z.object({ by: z.number() }) }),
    grow: method({ request: tree }),
    ignored: method({ request: z.object({ by: z.number() }) }),
  };
  shape(shape: { kind: "circle"; radius: number } | { kind: "square"; side: number }) {
    return shape.kind === "circle" ? shape.radius : shape.side;
  }
  any(request: unknown) {
    return request;
  }
  wide(request: Record<string, number>) {
    return request;
  }
  grow(tree: Tree): Tree {
    return tree;
  }
  ignored() {
    return this.state;
  }
}
defineHost({ objects: [Agrees] });
