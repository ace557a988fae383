/**
 * Compile-time tests of [OBJ5]: `tsc --noEmit` checks this file, nothing runs it. Every `@ts-expect-error` is a mistake that
 * must not compile; if it ever does, the directive itself is the error. `compile.test.ts` proves that the check can fail.
 */
import { method, type ObjectClass, type RequestOf, type Stub, VirtualObject } from "edgeverse";
import { z } from "zod";
import { Counter } from "../../examples/counter.ts";
import { Wallet } from "../../examples/wallet.ts";

import type { CreateParameters } from "../../src/object/request-types.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_Claim extends true>(): void {}

/** One method of every kind. */
class Everything extends VirtualObject<{ n: number }> {
  static override readonly type = "Everything";
  static override readonly state = z.object({ n: z.number().default(0) });
  static override readonly methods = {
    sync: method(),
    later: method({ request: z.object({ by: z.number() }), timeout: "5s", log: "write-ahead" }),
    nothing: method({ readonly: true }),
    optional: method({ request: z.object({ n: z.number() }).optional() }),
    many: method(),
  };
  sync() {
    return { n: this.state.n };
  }
  async later({ by }: { by: number }): Promise<string> {
    return String(by);
  }
  nothing(): void {}
  optional(request?: { n: number }): number | null {
    return request?.n ?? null;
  }
  many(): Promise<{ list: number[] }> | { list: string[] } {
    return { list: [""] };
  }
  undeclared() {
    return 1;
  }
}

type EverythingStub = Stub<typeof Everything>;

// Each method answers with a promise of what it returns, awaited once.
check<Equal<ReturnType<EverythingStub["sync"]>, Promise<{ n: number }>>>();
check<Equal<ReturnType<EverythingStub["later"]>, Promise<string>>>();
check<Equal<ReturnType<EverythingStub["nothing"]>, Promise<null>>>();
check<Equal<ReturnType<EverythingStub["optional"]>, Promise<number | null>>>();
check<Equal<ReturnType<EverythingStub["many"]>, Promise<{ list: number[] } | { list: string[] }>>>();
check<Equal<ReturnType<EverythingStub["sync"]>, Promise<Awaited<ReturnType<Everything["sync"]>>>>>();
check<Equal<ReturnType<EverythingStub["later"]>, Promise<Awaited<ReturnType<Everything["later"]>>>>>();

// Requests are those of the methods themselves.
check<Equal<Parameters<EverythingStub["sync"]>, []>>();
check<Equal<Parameters<EverythingStub["later"]>, [request: { by: number }]>>();
check<Equal<Parameters<EverythingStub["optional"]>, [request?: { n: number } | undefined]>>();
check<Equal<Parameters<Stub<typeof Counter>["add"]>, Parameters<Counter["add"]>>>();

// A stub has the declared methods and nothing else: neither inherited ones, nor what is public without being declared.
check<Equal<keyof EverythingStub, "sync" | "later" | "nothing" | "optional" | "many">>();
check<Equal<keyof Stub<typeof Wallet>, "deposit" | "withdraw" | "getBalance" | "transfer">>();

// Creating takes the request that the class describes, and options.
class Owned extends VirtualObject {
  static override readonly type = "Owned";
  static override readonly create = z.object({ owner: z.string(), size: z.number().default(1) });
  protected override onCreate({ owner, size }: RequestOf<typeof Owned.create>) {
    check<Equal<typeof owner, string>>();
    check<Equal<typeof size, number>>();
  }
}
class Named extends VirtualObject {
  static override readonly type = "Named";
  static override readonly create = z.object({ name: z.string().default("") });
}
type Owner = { owner: string; size?: number | undefined };
check<Equal<CreateParameters<typeof Owned, 0>, [request: Owner, options?: 0]>>();
check<Equal<CreateParameters<typeof Named, 0>, [request?: { name?: string | undefined }, options?: 0]>>();
check<Equal<CreateParameters<typeof Counter, 0>, [request?: undefined, options?: 0]>>();

/** Calls as authors write them. Nothing here may run. */
export class Caller extends VirtualObject {
  static override readonly type = "Caller";
  static override readonly methods = { right: method(), wrong: method() };

  async right() {
    const counter = this.object(Counter, "c");
    const { value } = await counter.add({ by: 1 });
    check<Equal<typeof value, number>>();
    const { balance } = await this.object(Wallet, "w", { callId: "t1", log: "write-ahead", expiresIn: 60_000 }).deposit(
      {
        amount: value,
      },
    );
    const everything = this.object(Everything, "e", { timeout: 100 });
    check<Equal<Awaited<ReturnType<typeof everything.many>>, { list: number[] } | { list: string[] }>>();
    await everything.optional();
    await everything.optional({ n: balance });
    await everything.nothing();
  }

  async wrong() {
    const counter = this.object(Counter, "c");
    const everything = this.object(Everything, "e");

    // A wrong method.
    // @ts-expect-error no such method
    await counter.increment({ by: 1 });
    // @ts-expect-error public, but not declared
    await everything.undeclared();
    // @ts-expect-error a hook
    await counter.onActivate();
    // @ts-expect-error a part of the base class
    void counter.state;
    // @ts-expect-error a part of the base class
    void counter.id;
    // @ts-expect-error a stub is no promise
    counter.then(() => {});

    // A wrong request.
    // @ts-expect-error missing
    await counter.add();
    // @ts-expect-error of another type
    await counter.add({ by: "1" });
    // @ts-expect-error without its member
    await counter.add({});
    // @ts-expect-error with a member more
    await counter.add({ by: 1, and: 2 });
    // @ts-expect-error one request, not two
    await counter.add({ by: 1 }, { by: 2 });
    // @ts-expect-error get takes none
    await counter.get({});
    // @ts-expect-error null is not undefined
    await everything.optional(null);

    // A wrong use of the response.
    // @ts-expect-error it is a promise
    void counter.get().value;
    // @ts-expect-error no such member
    void (await counter.get()).balance;
    // @ts-expect-error of another type
    const text: string = (await counter.get()).value;
    // @ts-expect-error nothing was returned
    void (await everything.nothing()).value;
    // @ts-expect-error one of two shapes
    const list: number[] = (await everything.many()).list;
    void [text, list];

    // A wrong way to the object.
    // @ts-expect-error a class, not its name
    this.object("Counter", "c");
    // @ts-expect-error an id is a text
    this.object(Counter, 5);
    // @ts-expect-error no such option
    this.object(Counter, "c", { callID: "t1" });
    // @ts-expect-error no such policy
    this.object(Counter, "c", { callId: "t1", log: "after" });
    // @ts-expect-error ms, not a text
    this.object(Counter, "c", { timeout: "5s" });
    // @ts-expect-error not a virtual object
    this.object(Date, "c");
    // @ts-expect-error stubs are not changed
    counter.add = async () => ({ value: 1 });
  }
}

/** What only its own methods may touch. */
export function outside(counter: Counter): void {
  // @ts-expect-error protected
  void counter.state;
  // @ts-expect-error protected
  void counter.store;
  // @ts-expect-error protected
  void counter.call;
  // @ts-expect-error protected
  counter.deleteSelf();
  // @ts-expect-error protected
  counter.object(Counter, "c");
}

export class StateTypes extends VirtualObject<{ n: number }> {
  static override readonly type = "StateTypes";
  run() {
    this.state.n = 1;
    this.state = { n: 2 };
    // @ts-expect-error of another type
    this.state.n = "1";
    // @ts-expect-error no such member
    this.state.m = 1;
    // @ts-expect-error not a state
    this.state = {};
    // @ts-expect-error who an object is does not change
    this.id = "other";
    // @ts-expect-error a reason is a text
    this.fail(5, "message");
    // @ts-expect-error rows have text keys
    this.store.put(1, "value");
    // @ts-expect-error values are not typed unless asked for
    const text: string = this.store.get("key");
    const number = this.store.get<number>("key");
    check<Equal<typeof number, number | undefined>>();
    void text;
  }
}

// Classes that describe themselves wrongly are refused where they are registered, or already where they are declared.
const takes = (_classes: readonly ObjectClass[]): void => {};
takes([Counter, Wallet, Everything, Caller, StateTypes]);
// @ts-expect-error abstract
takes([VirtualObject]);
// @ts-expect-error not a virtual object
takes([class Plain {}]);
// @ts-expect-error an instance is no class
takes([{} as Counter]);
takes([
  // @ts-expect-error Edgeverse makes instances, without arguments
  class Needy extends VirtualObject {
    constructor(_name: string) {
      super();
    }
  },
]);

// @ts-expect-error a type is a text
export class WrongType extends VirtualObject {
  static override readonly type = 5;
}
// @ts-expect-error a schema, not an example
export class WrongState extends VirtualObject {
  static override readonly state = { n: 0 };
}
// @ts-expect-error an option of another type
export class WrongMethods extends VirtualObject {
  static override readonly methods = { run: { readonly: "yes" } };
}
// @ts-expect-error a version is a number
export class WrongVersion extends VirtualObject {
  static override readonly version = "2";
}
// @ts-expect-error no such policy
export class WrongLog extends VirtualObject {
  static override readonly log = "never";
}
// @ts-expect-error a flag
export class WrongFlag extends VirtualObject {
  static override readonly autoCreate = "no";
}
export class WrongHook extends VirtualObject {
  // @ts-expect-error hooks take what the base class gives them
  protected override onDeactivate(_reason: number) {}
}

// @ts-expect-error the request is a schema
method({ request: { by: 1 } });
// @ts-expect-error a duration is a text
method({ timeout: 5 });
// @ts-expect-error no such policy
method({ log: "after" });
// @ts-expect-error no option has this name
method({ read: true });
