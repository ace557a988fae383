import type * as z from "zod";
import type { Access } from "../access/access.ts";

/** When Postgres must hold a reliable call: after the owner's commit, or before the turn runs ([CALL6]). */
export type LogPolicy = "write-ahead" | "write-behind";

/** How one method may be called. */
export interface MethodOptions extends Access {
  /** Schema of the request; where it takes `{}`, none need be sent. Without a schema the method takes no request. */
  readonly request?: z.ZodType;
  /** The method changes nothing; it may run beside other readonly turns of the object, on a frozen state. */
  readonly readonly?: boolean;
  /** Only objects may call it, what they have sent or set, and the Worker's own code: for clients there is no such method. */
  readonly internal?: boolean;
  /** Deadline of a call that brings none, such as `"5s"`; default: the type's, then the configuration's. */
  readonly timeout?: string;
  /** Log policy of reliable calls of this method; default: the type's. */
  readonly log?: LogPolicy;
}

/**
 * Declares a method that others may call.
 *
 * @example
 * static override readonly methods = {
 *   add: method({ request: z.object({ by: z.number().int() }) }),
 *   get: method({ readonly: true }),
 * };
 */
export function method<const Options extends MethodOptions>(options: Options = {} as Options): Options {
  return options;
}

/**
 * The request that a method gets: what its schema makes of the caller's. `RequestOf<typeof Counter.methods.add>`. Of a schema,
 * such as `static create`, the same.
 */
export type RequestOf<Declared extends MethodOptions | z.ZodType> = Declared extends z.ZodType
  ? z.output<Declared>
  : Declared extends { readonly request: infer Schema extends z.ZodType }
    ? z.output<Schema>
    : undefined;
