import type { z } from "zod";
import type { MethodOptions } from "./method.ts";
import type { VirtualObject } from "./virtual-object.ts";

/** A class that `defineHost` takes: a concrete `VirtualObject` with its static description. */
export interface ObjectClass {
  new (): VirtualObject<unknown>;
  readonly type: string;
  readonly state: z.ZodType;
  readonly methods: Readonly<Record<string, MethodOptions>>;
  readonly version: number;
  readonly autoCreate: boolean;
  readonly reentrant: boolean;
  readonly timeout: string | undefined;
  readonly log: "batched" | "before";
  upgrade(old: unknown, from: number): unknown;
}

/** The declared methods of `Class` that its instances really have. */
export type MethodName<Class extends ObjectClass> = keyof Class["methods"] & keyof InstanceType<Class> & string;

/** A remote view of an object: its declared methods, each answering with a promise ([OBJ5]). */
export type Stub<Class extends ObjectClass> = {
  readonly [Name in MethodName<Class>]: InstanceType<Class>[Name] extends (...request: infer Request) => infer Response
    ? (...request: Request) => Promise<Awaited<Response>>
    : never;
};

/** Carries one call of a stub. */
export type StubCall = (method: string, request: unknown) => Promise<unknown>;

/** Makes stubs of one type: an object with one function per declared method, and nothing else. */
export function stubFactory(methods: Iterable<string>): (call: StubCall) => object {
  class TypedStub {
    readonly #call: StubCall;
    constructor(call: StubCall) {
      this.#call = call;
    }
    static send(stub: TypedStub, method: string, request: unknown): Promise<unknown> {
      return stub.#call(method, request);
    }
  }
  const prototype = TypedStub.prototype as unknown as Record<string, unknown>;
  for (const name of methods) {
    prototype[name] = function (this: TypedStub, request: unknown) {
      return TypedStub.send(this, name, request);
    };
  }
  return (call) => new TypedStub(call);
}
