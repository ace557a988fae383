import * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";

/** Which other sites' pages may use the host ([CORS1]). */
export interface CorsOptions {
  /** Origins such as `"https://app.example.com"`; `"*"` is every one. */
  readonly origins: readonly string[];
  /** Whether pages may send cookies and the like. Default: no. */
  readonly credentials?: boolean;
  /** Seconds for which a browser may remember what it was allowed. Default: 600. */
  readonly maxAge?: number;
}

const schema = z
  .strictObject({
    origins: z
      .array(z.string().refine((text) => text === "*" || isOrigin(text), "must be like https://app.example.com, or *"))
      .min(1),
    credentials: z.boolean().optional(),
    maxAge: z.number().int().min(0).max(86_400).optional(),
  })
  .refine(({ origins, credentials }) => credentials !== true || !origins.includes("*"), {
    message: "credentials are not for every origin: name those that may send them",
  });

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

const METHODS = "GET, HEAD, POST, DELETE";
const HEADERS =
  "authorization, content-type, edgeverse-expires-in, edgeverse-log, edgeverse-not-before, edgeverse-timeout, idempotency-key, last-event-id, prefer, traceparent, x-request-id";
const EXPOSED =
  "idempotency-replayed, location, preference-applied, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id";

/** The API of objects and what says how the host is; not the admin API, which is no page's business. */
function isShared(path: string): boolean {
  return path !== "/admin" && !path.startsWith("/admin/");
}

/** Decides which pages may use the host: none of another site, unless it is named. */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #credentials: boolean;
  readonly #maxAge: string;
  readonly #isUsed: boolean;

  /** @throws Error saying what can't be meant */
  constructor(options?: CorsOptions) {
    const { error } = schema.safeParse(options ?? { origins: ["*"] });
    const issue = error?.issues[0];
    if (issue !== undefined)
      throw new Error(`Cannot use the option cors: ${[...issue.path, issue.message].map(String).join(": ")}`);
    this.#isUsed = options !== undefined;
    this.#origins = new Set(options?.origins);
    this.#credentials = options?.credentials ?? false;
    this.#maxAge = String(options?.maxAge ?? 600);
  }

  /**
   * The answer to a preflight request; undefined for any other.
   * @throws EdgeverseError `ACCESS_DENIED`
   */
  preflight(request: Request, path: string): Response | undefined {
    const { method, headers } = request;
    if (method !== "OPTIONS" || !this.#isUsed || !headers.has("access-control-request-method")) return undefined;
    if (!this.#lets(headers.get("origin"), path)) throw denied();
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": HEADERS,
        "access-control-max-age": this.#maxAge,
      },
    });
  }

  /**
   * Another site's page may not change anything with a visitor's cookies: browsers send such requests without asking first.
   * The admin API has its own rule.
   * @throws EdgeverseError `ACCESS_DENIED`
   */
  check({ method, headers, url }: Request, path: string): void {
    if (method === "GET" || method === "HEAD" || !isShared(path)) return;
    const origin = headers.get("origin");
    if (origin === null || this.#lets(origin, path)) return;
    if (URL.canParse(origin) && new URL(origin).host === new URL(url).host) return;
    throw denied();
  }

  /** Headers that let a page read the answer, and tell caches that it depends on the page. */
  dress(response: Response, request: Request, path: string): void {
    if (!this.#isUsed || !isShared(path)) return;
    const { headers } = response;
    headers.append("vary", "origin");
    const origin = request.headers.get("origin");
    if (origin === null || !this.#lets(origin, path)) return;
    headers.set("access-control-allow-origin", this.#origins.has("*") ? "*" : origin);
    if (this.#credentials) headers.set("access-control-allow-credentials", "true");
    headers.set("access-control-expose-headers", EXPOSED);
  }

  #lets(origin: string | null, path: string): boolean {
    return origin !== null && isShared(path) && (this.#origins.has(origin) || this.#origins.has("*"));
  }
}

function denied(): EdgeverseError {
  return new EdgeverseError("ACCESS_DENIED", "Pages of this origin may not use the host: see the option cors");
}
