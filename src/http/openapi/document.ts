import * as z from "zod";
import { VERSION } from "./admin/cluster.ts";
import type { RouteDoc } from "./route.ts";
import { problemSchema } from "./schemas.ts";

type Json = Record<string, unknown>;

const BEARER = "adminToken";

/** The OpenAPI 3.1 document of these routes. Schemas with an `id` in their `meta` become components. */
export function openApiDocument(docs: readonly RouteDoc[]): Json {
  const components: Json = {};
  const schema = (of: z.ZodType) => jsonSchema(of, components);
  const paths: Record<string, Json> = {};
  for (const doc of docs) {
    const item = paths[doc.path] ?? {};
    item[doc.method] = operation(doc, schema);
    paths[doc.path] = item;
  }
  return {
    openapi: "3.1.0",
    info: { title: "Edgeverse", version: VERSION, description: "Virtual objects over HTTP" },
    paths,
    components: {
      schemas: components,
      securitySchemes: { [BEARER]: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(doc: RouteDoc, schema: (of: z.ZodType) => Json): Json {
  const responses: Json = {};
  for (const [status, answer] of Object.entries(doc.answers)) {
    responses[status] = { description: "Success", content: { "application/json": { schema: schema(answer) } } };
  }
  responses["default"] = {
    description: "A problem",
    content: { "application/problem+json": { schema: schema(problemSchema) } },
  };
  const admin = doc.path.startsWith("/admin/");
  return {
    summary: doc.summary,
    tags: [admin ? "admin" : "objects"],
    parameters: [
      ...parameters("path", doc.params, schema),
      ...parameters("query", doc.query, schema),
      ...parameters("header", doc.headers, schema),
    ],
    ...(doc.body === undefined
      ? {}
      : { requestBody: { content: { "application/json": { schema: schema(doc.body) } } } }),
    responses,
    ...(admin ? { security: [{ [BEARER]: [] }] } : {}),
  };
}

function parameters(place: string, of: z.ZodObject | undefined, schema: (of: z.ZodType) => Json): Json[] {
  return Object.entries(of?.shape ?? {}).map(([name, member]) => ({
    name,
    in: place,
    required: !member.safeParse(undefined).success,
    schema: schema(member),
  }));
}

/**
 * The JSON Schema of what a client sends or reads. What has an `id` is put in `components` and referred to. What JSON Schema
 * can't say is left open.
 */
function jsonSchema(of: z.ZodType, components: Json): Json {
  const {
    $schema: _,
    $defs,
    ...schema
  } = z.toJSONSchema(of, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema: { _zod }, jsonSchema }) => {
      // A query's numbers come as text: zod leaves their default out, and the pattern of a moment says less than its format.
      if (_zod.def.type === "default") jsonSchema.default = (_zod.def as z.core.$ZodDefaultDef).defaultValue;
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  const text = JSON.stringify([schema, $defs ?? {}]).replaceAll('"#/$defs/', '"#/components/schemas/');
  const [own, shared] = JSON.parse(text) as [Json, Json];
  Object.assign(components, shared);
  return own;
}
