import type { RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { problemSchema } from "./schemas.ts";

/** What `createHandler` finds out about a request before any route sees it. */
export interface HttpEnv {
  readonly Bindings: {
    readonly requestId: string;
    /** The path as it came, percent-encoded: routing on a decoded one would let `/%61dmin` pass for `/admin`. */
    readonly path: string;
  };
}

export type HttpContext = Context<HttpEnv>;

/**
 * One route: how it is documented, and what answers it. It throws `EdgeverseError`s; whoever registers it makes them problems.
 *
 * Routes are registered by hand and only documented through `@hono/zod-openapi`: its validators cost 12 µs a call (measured,
 * as much as all the rest), parse the body a second time, and refuse what `curl -d` sends as Content-Type.
 */
export interface Route {
  readonly doc: RouteConfig;
  readonly handle: (context: HttpContext) => Promise<Response> | Response;
}

/** The decoded value of `{name}` in the route's path. */
export function param(context: HttpContext, name: string): string {
  return context.req.param(name) as string;
}

export const BEARER = "adminToken";

interface Description {
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

/** How a route appears in the OpenAPI document. Every route may answer with a problem. */
export function describeRoute(description: Description): RouteConfig {
  const { method, path, summary, params, query, headers, body, answers } = description;
  const request = {
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { query }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body: { content: { "application/json": { schema: body } } } }),
  };
  const responses: RouteConfig["responses"] = {};
  for (const [status, schema] of Object.entries(answers)) {
    responses[status as "200"] = { description: "Success", content: { "application/json": { schema } } };
  }
  responses["default"] = {
    description: "A problem",
    content: { "application/problem+json": { schema: problemSchema } },
  };
  const admin = path.startsWith("/admin/");
  return {
    method,
    path,
    summary,
    tags: [admin ? "admin" : "objects"],
    request,
    responses,
    ...(admin ? { security: [{ [BEARER]: [] }] } : {}),
  };
}
