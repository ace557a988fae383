import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type JsonSchema, NO_SAMPLE, sampleOf } from "../../local/sample-value.ts";
import { callOf } from "../../local/served-api.ts";

const fits: readonly z.ZodType[] = [
  z.object({ by: z.number().int() }),
  z.object({ amount: z.number().int().positive(), to: z.string().min(1).max(3), note: z.string().optional() }),
  z.object({ email: z.email(), at: z.iso.datetime(), id: z.uuid(), page: z.url() }),
  z.object({ kind: z.enum(["a", "b"]), always: z.literal(7), flag: z.boolean(), nothing: z.null() }),
  z.object({ list: z.array(z.object({ x: z.number().min(-5).max(-1) })).min(2), none: z.array(z.string()) }),
  z.object({ limit: z.number().int().min(10).max(20).default(15), step: z.number().multipleOf(0.25).gt(3) }),
  z.union([z.object({ a: z.string().regex(/^x/) }), z.object({ b: z.number().lt(0).gte(-1) })]),
  z.string().min(12),
  z.string().nullable(),
  z.tuple([]),
];

describe("a sample", () => {
  test.each(fits.map((schema) => [JSON.stringify(z.toJSONSchema(schema, { io: "input" })), schema] as const))(
    "fits %s",
    (_text, schema) => {
      const sample = sampleOf(z.toJSONSchema(schema, { io: "input" }) as JsonSchema, () => undefined);
      expect(schema.safeParse(sample)).toMatchObject({ success: true });
    },
  );

  test.each([
    { type: "string", pattern: "^[a-z]{7}$" },
    { type: "number", minimum: 5, exclusiveMaximum: 5 },
    { type: "object", required: ["a"], properties: { a: { type: "string", format: "regex" } } },
    { allOf: [{ type: "string" }, { type: "number" }] },
    { $ref: "#/components/schemas/None" },
    {},
  ])("of %o is not made up", (schema) => {
    expect(sampleOf(schema, () => undefined)).toBe(NO_SAMPLE);
  });

  test("of a schema that needs itself is not made up", () => {
    const endless: JsonSchema = { type: "object", required: ["next"], properties: { next: { $ref: "#" } } };
    expect(sampleOf(endless, () => endless)).toBe(NO_SAMPLE);
  });
});

describe("a call", () => {
  const body = (schema: JsonSchema, required = true) => ({
    post: { requestBody: { required, content: { "application/json": { schema } } } },
  });
  const of = (paths: Record<string, object>) => callOf("http://h", { paths });
  const add = "/api/v1/objects/call/Counter/{id}/add";
  const get = "/api/v1/objects/call/Counter/{id}/get";

  test("is the first that a request can be made up for", () => {
    const paths = {
      "/api/v1/objects/call/{type}/{id}/{method}": body({ type: "object" }),
      [add]: body({ type: "string", pattern: "^x$" }),
      [get]: { post: {} },
    };
    expect(of(paths)).toBe("curl -X POST http://h/api/v1/objects/call/Counter/hello/get");
  });

  test("has a body where one is needed, quoted for the shell", () => {
    const text = { type: "object", required: ["request"], properties: { request: { const: "it's" } } };
    expect(of({ [add]: body(text) })).toBe(
      `curl -X POST http://h/api/v1/objects/call/Counter/hello/add -d '{"request":"it'\\''s"}'`,
    );
    expect(of({ [add]: body({}, false) })).toBe("curl -X POST http://h/api/v1/objects/call/Counter/hello/add");
  });

  test("is none where nothing is served", () => {
    expect(of({ "/healthz": {} })).toBeUndefined();
  });
});
