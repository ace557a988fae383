import type * as z from "zod";
import { CODES, type ErrorCode } from "../../errors/codes.ts";
import type { RouteDoc } from "../route.ts";
import { problemSchema } from "../schemas.ts";
import type { Json, Schemas } from "./json-schema.ts";

export const ADMIN_TOKEN = "adminToken";
export const CREDENTIALS = "credentials";

/** Headers of answers: what they say, and what they look like. */
export const HEADERS: Readonly<Record<string, { description: string; schema: Json }>> = {
  "X-Request-Id": {
    description: "The request's id in the host's log: the client's own if it sent a fitting one",
    schema: { type: "string", pattern: "^[A-Za-z0-9._-]{1,64}$" },
  },
  "Idempotency-Replayed": {
    description: "The call ran before: this is its outcome of then",
    schema: { type: "string", enum: ["true"] },
  },
  Location: { description: "Path of the call's status", schema: { type: "string" } },
  "Preference-Applied": { description: "What was preferred and done", schema: { type: "string" } },
  "Retry-After": { description: "Seconds to wait before trying again", schema: { type: "integer", minimum: 1 } },
  RateLimit: {
    description: 'What limits leave to the client, such as `"clients";r=12;t=3` (draft-ietf-httpapi-ratelimit-headers)',
    schema: { type: "string" },
  },
  "RateLimit-Policy": {
    description: 'These limits, such as `"clients";q=20;w=4`: the burst, and the seconds in which it fills',
    schema: { type: "string" },
  },
  "WWW-Authenticate": { description: "How to authenticate", schema: { type: "string" } },
};

/** Codes of the problems a route may answer with. */
export function problemsOf(doc: RouteDoc): ErrorCode[] {
  const { method, params, query, problems = [] } = doc;
  const codes = new Set<ErrorCode>([...ANYWHERE, ...problems]);
  if (params !== undefined) codes.add("INVALID_PATH");
  if (query !== undefined) codes.add("INVALID_ARGUMENT");
  for (const code of method === "get" ? [] : BODY) codes.add(code);
  for (const code of isAdmin(doc) ? ADMIN : []) codes.add(code);
  return [...codes].sort();
}

const ANYWHERE = ["HEADERS_TOO_LARGE", "INTERNAL", "URL_TOO_LONG"] as const;
const BODY = [
  "ACCESS_DENIED",
  "DEADLINE_EXCEEDED",
  "INVALID_ARGUMENT",
  "INVALID_JSON",
  "OVERLOADED",
  "PAYLOAD_TOO_LARGE",
] as const;
const ADMIN = ["ACCESS_DENIED", "NOT_FOUND", "RATE_LIMITED", "UNAUTHENTICATED", "UNAVAILABLE"] as const;

function isAdmin({ path }: RouteDoc): boolean {
  return path.startsWith("/admin/");
}

/** How whoever asks is known. What anonymous clients may call is for the classes to say. */
function securityOf(doc: RouteDoc): Record<string, []>[] {
  if (isAdmin(doc)) return [{ [ADMIN_TOKEN]: [] }];
  return doc.tag === "objects" || doc.tag === "events" ? [{ [CREDENTIALS]: [] }, {}] : [];
}

export interface Operation extends Json {
  readonly operationId: string;
  readonly parameters: readonly Json[];
  readonly responses: Json;
}

/** A route as an operation of the document. */
export function operation(doc: RouteDoc, schemas: Schemas): Operation {
  const body = doc.body === undefined ? undefined : requestBody(schemas.own(doc.body), accepts(doc.body, {}));
  return {
    operationId: doc.id,
    tags: [doc.tag],
    summary: doc.summary,
    ...(doc.description === undefined ? {} : { description: doc.description }),
    ...(doc.deprecated === true ? { deprecated: true } : {}),
    security: securityOf(doc),
    parameters: [
      ...parameters("path", doc.params, schemas),
      ...parameters("query", doc.query, schemas),
      ...parameters("header", doc.headers, schemas),
    ],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responses(doc, schemas),
  };
}

export function requestBody(schema: Json, isOptional: boolean): Json {
  return { required: !isOptional, content: { "application/json": { schema } } };
}

/** Whether the schema takes this value; one that can't tell at once does not. */
export function accepts(schema: z.ZodType, value: unknown): boolean {
  try {
    return schema.safeParse(value).success;
  } catch {
    return false;
  }
}

function parameters(place: string, of: z.ZodObject | undefined, schemas: Schemas): Json[] {
  return Object.entries(of?.shape ?? {}).map(([name, member]) => {
    const { description, ...schema } = schemas.own(member);
    const required = !accepts(member, undefined);
    return { name, in: place, required, ...(description === undefined ? {} : { description }), schema };
  });
}

function responses(doc: RouteDoc, schemas: Schemas): Json {
  const all: Json = {};
  for (const [status, { description, schema, headers = [], html = false, type }] of Object.entries(doc.answers)) {
    all[status] = {
      description,
      headers: references(["X-Request-Id", ...headers]),
      ...(schema === undefined ? {} : { content: contentOf(schemas.own(schema), html, type) }),
    };
  }
  for (const [status, codes] of byStatus(problemsOf(doc))) {
    all[status] ??= problem(`Problem: ${codes.map((code) => `\`${code}\``).join(", ")}`, status, doc, schemas);
  }
  if (!Object.keys(all).some((status) => status.startsWith("4"))) {
    all["4XX"] = { description: "Refused on the way, by the platform or by a proxy in front" };
  }
  all["default"] = problem("Any other problem", undefined, doc, schemas);
  return all;
}

function contentOf(schema: Json, html: boolean, type = "application/json"): Json {
  return { [type]: { schema }, ...(html ? { "text/html": { schema: { type: "string" } } } : {}) };
}

function byStatus(codes: readonly ErrorCode[]): [status: number, codes: ErrorCode[]][] {
  const found = new Map<number, ErrorCode[]>();
  for (const code of codes) found.set(CODES[code].status, [...(found.get(CODES[code].status) ?? []), code]);
  return [...found].sort(([one], [other]) => one - other);
}

function problem(description: string, status: number | undefined, doc: RouteDoc, schemas: Schemas): Json {
  const headers = ["X-Request-Id", ...(doc.problemHeaders ?? [])];
  if (status === 401) headers.push("WWW-Authenticate");
  if (status === 429) headers.push("RateLimit", "RateLimit-Policy");
  if (status === 429 || status === 503 || status === undefined) headers.push("Retry-After");
  return {
    description,
    headers: references(headers),
    content: { "application/problem+json": { schema: schemas.own(problemSchema) } },
  };
}

function references(headers: readonly string[]): Json {
  return Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
