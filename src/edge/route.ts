import type { RouteConfig } from "@hono/zod-openapi";
import type { Context } from "hono";

/** What `createEdge` finds out about a request before any route sees it. */
export interface EdgeEnv {
  readonly Bindings: {
    readonly requestId: string;
    /** The path as it came, percent-encoded: routing on a decoded one would let `/%61dmin` pass for `/admin`. */
    readonly path: string;
  };
}

export type EdgeContext = Context<EdgeEnv>;

/**
 * One route: how it is documented, and what answers it. It throws `EdgeverseError`s; whoever registers it makes them problems.
 *
 * Routes are registered by hand and only documented through `@hono/zod-openapi`: its validators cost 12 µs a call (measured,
 * as much as all the rest), parse the body a second time, and refuse what `curl -d` sends as Content-Type.
 */
export interface Route {
  readonly doc: RouteConfig;
  readonly handle: (context: EdgeContext) => Promise<Response> | Response;
}

/** The decoded value of `{name}` in the route's path. */
export function param(context: EdgeContext, name: string): string {
  return context.req.param(name) as string;
}
