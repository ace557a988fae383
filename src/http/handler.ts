import { type Admin, checkAdmin, checkRole } from "./admin/auth.ts";
import { pathBelow } from "./base-path.ts";
import { Cors } from "./cors.ts";
import type { HttpParts } from "./ports.ts";
import { failure } from "./problem.ts";
import { limitHeaders } from "./rate-limits.ts";
import { checkEncoding, checkSize, rawPath, requestIdOf } from "./request.ts";
import { Bodies } from "./request-body.ts";
import type { HttpContext } from "./route.ts";
import { nothingHere, RouteTable } from "./route-table.ts";
import { httpRoutes } from "./routes.ts";

/**
 * The HTTP interface: a function from request to response that never rejects. Everything that goes wrong is answered as
 * `application/problem+json`.
 */
export function createHandler(parts: HttpParts): (request: Request) => Promise<Response> {
  const table = new RouteTable(httpRoutes(parts));
  const bodies = new Bodies(parts.clock, parts.config);
  const cors = parts.cors ?? new Cors();
  const serve = (context: Omit<HttpContext, "param" | "actor">, path: string, admin: Admin | undefined) => {
    const { request, requestId } = context;
    const { method } = request;
    const found = table.find(method, path);
    if (found === undefined) return table.notFound(method, path, requestId);
    const { route, param } = found;
    if (admin !== undefined) checkRole(admin, route.doc, request);
    // Probes come all the time, also where nobody else does.
    if (route.doc.tag !== "host") parts.settings.follower?.served();
    return route.handle({ ...context, param, actor: admin?.actor });
  };
  return async (request) => {
    const body = bodies.of(request);
    const { requestId, ticket } = requestIdOf(request, parts.random);
    const limits: HttpContext["limits"] = { standings: [] };
    let path: string | undefined;
    let response: Response;
    try {
      checkSize(request);
      path = pathBelow(parts.basePath, rawPath(request.url));
      if (path === undefined) throw nothingHere();
      checkEncoding(path);
      const below = path === "/admin" || path.startsWith("/admin/");
      cors.check(request, path);
      const admin = below ? await checkAdmin(request, parts) : undefined;
      response =
        cors.preflight(request, path) ?? (await serve({ request, requestId, ticket, body, limits }, path, admin));
    } catch (error) {
      response = failure(parts, error, requestId);
    }
    // The headers of a connection that has opened are its gate's.
    if (response.status !== 101) {
      for (const [name, value] of limitHeaders(limits.standings)) response.headers.append(name, value);
      if (path !== undefined) cors.dress(response, request, path);
    }
    const rest = body.end();
    if (rest !== undefined) await rest;
    return request.method === "HEAD" ? new Response(null, response) : response;
  };
}
