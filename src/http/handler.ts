import { type Admin, checkAdmin, checkRole } from "./admin/auth.ts";
import { pathBelow } from "./base-path.ts";
import type { HttpParts } from "./ports.ts";
import { failure } from "./problem.ts";
import { checkEncoding, rawPath, requestIdOf } from "./request.ts";
import { Bodies, type RequestBody } from "./request-body.ts";
import { nothingHere, RouteTable } from "./route-table.ts";
import { httpRoutes } from "./routes.ts";

/**
 * The HTTP interface: a function from request to response that never rejects. Everything that goes wrong is answered as
 * `application/problem+json`.
 */
export function createHandler(parts: HttpParts): (request: Request) => Promise<Response> {
  const table = new RouteTable(httpRoutes(parts));
  const bodies = new Bodies(parts.clock, parts.config);
  const serve = (request: Request, requestId: string, path: string, body: RequestBody, admin: Admin | undefined) => {
    const { method } = request;
    const found = table.find(method, path);
    if (found === undefined) return table.notFound(method, path, requestId);
    const { route, param } = found;
    if (admin !== undefined) checkRole(admin, route.doc, request);
    // Probes come all the time, also where nobody else does.
    if (route.doc.tag !== "host") parts.settings.follower?.served();
    return route.handle({ request, requestId, body, param, actor: admin?.actor });
  };
  return async (request) => {
    const body = bodies.of(request);
    const requestId = requestIdOf(request, parts.random);
    let response: Response;
    try {
      const path = pathBelow(parts.basePath, rawPath(request.url));
      if (path === undefined) throw nothingHere();
      checkEncoding(path);
      const below = path === "/admin" || path.startsWith("/admin/");
      const admin = below ? await checkAdmin(request, parts) : undefined;
      response = await serve(request, requestId, path, body, admin);
    } catch (error) {
      response = failure(parts, error, requestId);
    }
    const rest = body.end();
    if (rest !== undefined) await rest;
    return request.method === "HEAD" ? new Response(null, response) : response;
  };
}
