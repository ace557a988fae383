import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { problem } from "./problem.ts";
import type { HttpContext, Route } from "./route.ts";

interface Entry {
  readonly method: string;
  readonly segments: readonly string[];
  readonly route: Route;
}

export interface Found {
  readonly route: Route;
  readonly param: HttpContext["param"];
}

/**
 * Which route takes a request ([HTTP4]): the first that fits. Paths are matched as they came, percent-encoded: decoded ones
 * would let `/%61dmin` pass for `/admin`.
 */
export class RouteTable {
  readonly #entries: readonly Entry[];

  /** @param routes the usual one first: it is looked at first */
  constructor(routes: readonly Route[]) {
    this.#entries = routes.map((route) => {
      const { method, path } = route.doc;
      return { method: method.toUpperCase(), segments: path.split("/"), route };
    });
  }

  find(method: string, path: string): Found | undefined {
    const segments = path.split("/");
    const wanted = method === "HEAD" ? "GET" : method;
    const entry = this.#entries.find((each) => each.method === wanted && fits(each.segments, segments));
    if (entry === undefined) return undefined;
    const param = (name: string) => decodeURIComponent(segments[entry.segments.indexOf(`{${name}}`)] as string);
    return { route: entry.route, param };
  }

  /** Answers what no route takes: a malformed path, a known one with another HTTP method, or nothing known. */
  notFound(method: string, path: string, requestId: string): Response {
    const segments = path.split("/");
    if (path !== "/" && segments.indexOf("", 1) > 0) {
      const error = new EdgeverseError("INVALID_PATH", "Cannot read the path: a segment is empty");
      return problem(error.toWire(), requestId);
    }
    const allowed = this.#entries.filter((each) => fits(each.segments, segments)).map((each) => each.method);
    if (allowed.length === 0) return problem(nothingHere().toWire(), requestId);
    const allow = allowed.flatMap((each) => (each === "GET" ? ["GET", "HEAD"] : [each])).join(", ");
    const error = new EdgeverseError("METHOD_NOT_ALLOWED", `Use ${allow} here, not ${method}`);
    return problem(error.toWire(), requestId, { allow });
  }
}

export function nothingHere(): EdgeverseError {
  return new EdgeverseError("NOT_FOUND", "Nothing is served here");
}

/** A parameter takes one segment that is not empty. */
function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => part === segments[index] || (part.startsWith("{") && segments[index] !== ""))
  );
}
