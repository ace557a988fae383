import type * as z from "zod";
import type { JsonResponse } from "../src/object/json-types.ts";
import type { MethodOptions } from "../src/object/method.ts";
import type { CallerRequest, CreateParameters } from "../src/object/request-types.ts";
import type { CallableClass, MethodName } from "../src/object/stub-types.ts";

/** How a call is made. */
export interface CallOptions {
  /** Ms for the whole call, with all its attempts. Default: the method's or the host's own for each, and 60 s here for all. */
  readonly timeout?: number | undefined;
  /** Gives the call up. One that has not begun by then is not run. */
  readonly signal?: AbortSignal | undefined;
  /** It runs exactly once, however often it has to be sent. `true` makes a call id for each call. */
  readonly reliable?: boolean | undefined;
  /** It is reliable, by this id: whoever calls the object with it again gets the same outcome. */
  readonly callId?: string | undefined;
  /** Ms after which a reliable call that has not run never will. */
  readonly expiresIn?: number | undefined;
  /** It does no harm twice, as readonly methods: it may be sent again. Reliable calls may, unless this is `false`. */
  readonly repeat?: boolean | undefined;
}

/** How an object is created or deleted. */
export type LifecycleOptions = Pick<CallOptions, "timeout" | "signal">;

/** The classes of `App`: of `typeof host`, or themselves. */
export type ClassOf<App> = App extends { readonly classes: readonly (infer Class)[] } ? Class : App;

type Known<App> = Extract<ClassOf<App>, CallableClass>;

/** Names of the types that can be called: any when nothing is known of the host. */
export type TypeName<App> = unknown extends App ? string : Known<App>["type"];

/** The class that serves `Type`; never when nothing is known of the host. */
export type ClassByType<App, Type> = unknown extends App ? never : Extract<Known<App>, { readonly type: Type }>;

/** The methods that clients may call. */
type ClientMethod<Class extends CallableClass> = {
  [Name in MethodName<Class>]: Class["methods"][Name] extends { readonly internal: true } ? never : Name;
}[MethodName<Class>];

/** The state that those who watch an object get. */
export type StateOf<Class> = [Class] extends [never]
  ? unknown
  : Class extends { readonly live: { readonly view: (...state: never[]) => infer View } }
    ? JsonResponse<View>
    : Class extends { readonly state: infer Schema extends z.ZodType }
      ? JsonResponse<z.output<Schema>>
      : unknown;

/** What a call takes: the method's request, then options. */
type Parameters<Method extends MethodOptions> =
  CallerRequest<Method> extends []
    ? [request?: undefined, options?: CallOptions]
    : [...request: CallerRequest<Method>, options?: CallOptions];

/** An object as clients see it: its methods, each answering with a promise. @throws ClientError */
export type RemoteObject<Class extends CallableClass> = [Class] extends [never]
  ? { readonly [method: string]: (request?: unknown, options?: CallOptions) => Promise<unknown> }
  : {
      readonly [Name in ClientMethod<Class>]: InstanceType<Class>[Name] extends (...request: never[]) => infer Response
        ? (...parameters: Parameters<Class["methods"][Name]>) => Promise<JsonResponse<Awaited<Response>>>
        : never;
    };

/** An object that calls are stored for: each method answers with the call's id. */
export type OutboxObject<Class extends CallableClass> = [Class] extends [never]
  ? { readonly [method: string]: (request?: unknown) => Promise<string> }
  : {
      readonly [Name in ClientMethod<Class>]: (...request: CallerRequest<Class["methods"][Name]>) => Promise<string>;
    };

/** What creating an object takes. */
export type CreationOf<Class> = [Class] extends [never]
  ? [request?: unknown, options?: LifecycleOptions]
  : Class extends { readonly create: z.ZodType | undefined }
    ? CreateParameters<Class, LifecycleOptions>
    : never;
