import type { RouteConfig, z } from "@hono/zod-openapi";
import { problemSchema } from "./schemas.ts";

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
