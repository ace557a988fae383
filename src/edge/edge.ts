import { OpenAPIHono } from "@hono/zod-openapi";
import { checkAdmin } from "./admin-auth.ts";
import { failure } from "./failure.ts";
import { notFound } from "./not-found.ts";
import { openApiRoute } from "./openapi.ts";
import type { EdgeParts } from "./ports.ts";
import { checkEncoding, rawPath } from "./raw-path.ts";
import { requestIdOf } from "./request-id.ts";
import type { EdgeEnv, Route } from "./route.ts";
import { edgeRoutes } from "./routes.ts";

/**
 * The HTTP interface: a function from request to response that never rejects. Everything that goes wrong is answered as
 * `application/problem+json`.
 */
export function createEdge(parts: EdgeParts): (request: Request) => Promise<Response> {
  const app = new OpenAPIHono<EdgeEnv>({ getPath: (_, options) => (options as { env: EdgeEnv["Bindings"] }).env.path });
  app.use("/admin/*", async (context, next) => {
    try {
      await checkAdmin(context.req.raw, parts.adminToken);
    } catch (error) {
      return failure(parts, error, context.env.requestId);
    }
    return next();
  });
  const routes: readonly Route[] = [...edgeRoutes(parts), openApiRoute(app)];
  for (const { doc, handle } of routes) {
    app.openAPIRegistry.registerPath(doc);
    app.on(doc.method.toUpperCase(), doc.path.replaceAll(/\{(\w+)\}/g, ":$1"), async (context) => {
      try {
        return await handle(context);
      } catch (error) {
        return failure(parts, error, context.env.requestId);
      }
    });
  }
  app.notFound(notFound(routes));
  return async (request) => {
    const requestId = requestIdOf(request, parts.random);
    try {
      const path = rawPath(request.url);
      checkEncoding(path);
      return await app.fetch(request, { requestId, path });
    } catch (error) {
      return failure(parts, error, requestId);
    }
  };
}
