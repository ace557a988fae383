import type { JsonResponse } from "./json-types.ts";
import type { MethodOptions } from "./method.ts";
import type { CallerRequest } from "./request-types.ts";

/** As much of an object's class as its callers need. */
export interface CallableClass {
  new (): object;
  readonly type: string;
  readonly methods: Readonly<Record<string, MethodOptions>>;
}

/** The declared methods of `Class` that its instances really have. */
export type MethodName<Class extends CallableClass> = keyof Class["methods"] & keyof InstanceType<Class> & string;

/**
 * A remote view of an object: its declared methods, each answering with a promise ([OBJ5]). Requests are what the method's
 * schema takes, responses what JSON leaves of what the method returns.
 */
export type Stub<Class extends CallableClass> = {
  readonly [Name in MethodName<Class>]: InstanceType<Class>[Name] extends (...parameters: never[]) => infer Response
    ? (...request: CallerRequest<Class["methods"][Name]>) => Promise<JsonResponse<Awaited<Response>>>
    : never;
};

/** The declared methods of an object, each of which sends a call and gives its id. */
export type Outbox<Class extends CallableClass> = {
  readonly [Name in MethodName<Class>]: (...request: CallerRequest<Class["methods"][Name]>) => string;
};

/** The objects of a transaction, each by its class and id. */
export type Participants = readonly (readonly [type: CallableClass, id: string])[];

/** Their stubs, in the same order. */
export type StubsOf<Objects extends Participants> = {
  -readonly [Index in keyof Objects]: Objects[Index] extends readonly [infer Class extends CallableClass, string]
    ? Stub<Class>
    : never;
};
