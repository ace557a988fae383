/** Carries one call of a stub. */
export type StubCall = (method: string, request: unknown) => unknown;

/** Makes stubs of one type: an object with one function per declared method, and nothing else. */
export function stubFactory(methods: Iterable<string>): (call: StubCall) => object {
  class TypedStub {
    readonly #call: StubCall;
    constructor(call: StubCall) {
      this.#call = call;
    }
    static send(stub: TypedStub, method: string, request: unknown): unknown {
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
