import { Hono } from "hono";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { checkAdmin } from "./admin/auth.ts";
import { pathBelow } from "./base-path.ts";
import type { HttpParts } from "./ports.ts";
import { failure, problem } from "./problem.ts";
import { checkEncoding, rawPath, requestIdOf } from "./request.ts";
import { Bodies, type RequestBody } from "./request-body.ts";
import type { HttpContext, HttpEnv, Route } from "./route.ts";
import { httpRoutes } from "./routes.ts";

/**
 * The HTTP interface: a function from request to response that never rejects. Everything that goes wrong is answered as
 * `application/problem+json`.
 */
export function createHandler(parts: HttpParts): (request: Request) => Promise<Response> {
  const app = new Hono<HttpEnv>({ getPath: (_, options) => (options as { env: HttpEnv["Bindings"] }).env.path });
  app.use("/admin/*", async (context, next) => {
    try {
      await checkAdmin(context.req.raw, parts.adminToken);
    } catch (error) {
      return failure(parts, error, context.env.requestId);
    }
    return next();
  });
  const routes = httpRoutes(parts);
  for (const { doc, handle } of routes) {
    app.on(doc.method.toUpperCase(), doc.path.replaceAll(/\{(\w+)\}/g, ":$1"), async (context) => {
      try {
        return await handle(context);
      } catch (error) {
        return failure(parts, error, context.env.requestId);
      }
    });
  }
  app.notFound(notFound(routes));
  const bodies = new Bodies(parts.clock, parts.config.maxBody);
  const answer = async (request: Request, body: RequestBody) => {
    const requestId = requestIdOf(request, parts.random);
    try {
      const path = pathBelow(parts.basePath, rawPath(request.url));
      if (path === undefined) return failure(parts, nothingHere(), requestId);
      checkEncoding(path);
      return await app.fetch(request, { requestId, path, body });
    } catch (error) {
      return failure(parts, error, requestId);
    }
  };
  return async (request) => {
    const body = bodies.of(request);
    const response = await answer(request, body);
    const rest = body.end();
    if (rest !== undefined) await rest;
    return response;
  };
}

/** Answers what no route takes: a malformed path, a known one with another HTTP method, or nothing known. */
function notFound(routes: readonly Route[]): (context: HttpContext) => Response {
  const patterns = routes.map(({ doc }) => ({ method: doc.method.toUpperCase(), segments: doc.path.split("/") }));
  return (context) => {
    const { path, requestId } = context.env;
    const segments = path.split("/");
    if (path !== "/" && segments.indexOf("", 1) > 0) {
      const error = new EdgeverseError("INVALID_PATH", "Cannot read the path: a segment is empty");
      return problem(error.toWire(), requestId);
    }
    const allowed = patterns.filter((pattern) => fits(pattern.segments, segments)).map(({ method }) => method);
    if (allowed.length === 0) {
      return problem(nothingHere().toWire(), requestId);
    }
    const allow = allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
    const error = new EdgeverseError("METHOD_NOT_ALLOWED", `Use ${allow} here, not ${context.req.raw.method}`);
    return problem(error.toWire(), requestId, { allow });
  };
}

function nothingHere(): EdgeverseError {
  return new EdgeverseError("NOT_FOUND", "Nothing is served here");
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => part.startsWith("{") || part === segments[index])
  );
}
