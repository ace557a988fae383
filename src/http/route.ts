import type { Context } from "hono";
import type * as z from "zod";

/** What `createHandler` finds out about a request before any route sees it. */
export interface HttpEnv {
  readonly Bindings: {
    readonly requestId: string;
    /** The path as it came, percent-encoded: routing on a decoded one would let `/%61dmin` pass for `/admin`. */
    readonly path: string;
  };
}

export type HttpContext = Context<HttpEnv>;

/** What the OpenAPI document says of a route, beside what holds for all. */
export interface RouteDoc {
  readonly method: "get" | "post" | "patch" | "delete";
  /** With `{name}` for a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** What it answers when all goes well, by status. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
}

/**
 * One route: how it is documented, and what answers it. It throws `EdgeverseError`s; whoever registers it makes them problems.
 * Its schemas document it; the handler itself says what is parsed by which, once.
 */
export interface Route {
  readonly doc: RouteDoc;
  readonly handle: (context: HttpContext) => Promise<Response> | Response;
}

/** The decoded value of `{name}` in the route's path. */
export function param(context: HttpContext, name: string): string {
  return context.req.param(name) as string;
}
