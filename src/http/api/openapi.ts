import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { VERSION } from "../admin/cluster.ts";
import { respond } from "../respond.ts";
import { BEARER, describeRoute, type HttpEnv, type Route } from "../route.ts";

/** The OpenAPI 3.1 document of every route in `app`'s registry; made when first asked for. */
export function openApiRoute(app: OpenAPIHono<HttpEnv>): Route {
  let text: string | undefined;
  return {
    doc: describeRoute({
      method: "get",
      path: "/api/v1/openapi.json",
      summary: "This document",
      answers: { 200: z.looseObject({ openapi: z.string() }) },
    }),
    handle: (context) => {
      text ??= write(app);
      return respond(text, context.env.requestId);
    },
  };
}

function write(app: OpenAPIHono<HttpEnv>): string {
  app.openAPIRegistry.registerComponent("securitySchemes", BEARER, { type: "http", scheme: "bearer" });
  const info = { title: "Edgeverse", version: VERSION, description: "Virtual objects over HTTP" };
  return JSON.stringify(app.getOpenAPI31Document({ openapi: "3.1.0", info }));
}
