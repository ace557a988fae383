import type * as z from "zod";

/** The parameters of a call. */
export type CallerRequest<Method> = Method extends { readonly request: infer Schema extends z.ZodType }
  ? RequestParameter<Schema>
  : [];

/** What creating an object takes: its request, and options. */
export type CreateParameters<
  Class extends { readonly create: z.ZodType | undefined },
  Options,
> = Class["create"] extends z.ZodType
  ? [...request: RequestParameter<Class["create"]>, options?: Options]
  : [request?: undefined, options?: Options];

/** Optional where the schema takes no request or `{}`. */
type RequestParameter<Schema extends z.ZodType> =
  undefined extends z.input<Schema>
    ? [request?: z.input<Schema>]
    : Record<never, never> extends z.input<Schema>
      ? [request?: z.input<Schema>]
      : [request: z.input<Schema>];
