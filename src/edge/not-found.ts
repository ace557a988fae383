import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { problem } from "./problem.ts";
import type { EdgeContext, Route } from "./route.ts";

/** Answers what no route takes: a malformed path, a known one with another HTTP method, or nothing known. */
export function notFound(routes: readonly Route[]): (context: EdgeContext) => Response {
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
      return problem(new EdgeverseError("NOT_FOUND", "Nothing is served here").toWire(), requestId);
    }
    const allow = allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
    const error = new EdgeverseError("METHOD_NOT_ALLOWED", `Use ${allow} here, not ${context.req.raw.method}`);
    return problem(error.toWire(), requestId, { allow });
  };
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => part.startsWith("{") || part === segments[index])
  );
}
