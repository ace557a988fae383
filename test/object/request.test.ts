import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseRequest } from "../../src/object/request.ts";

const parse = (schema: z.ZodType | undefined, request?: unknown) =>
  parseRequest({ name: "list", request: schema }, request);

describe("parseRequest", () => {
  const defaults = z.object({ limit: z.number().default(10) });

  test.each<[string, z.ZodType | undefined, unknown]>([
    ["no schema", undefined, undefined],
    ["defaults alone", defaults, { limit: 10 }],
    ["an optional object", defaults.optional(), undefined],
    ["a default of its own", defaults.default({ limit: 5 }), { limit: 5 }],
    ["null", z.null(), null],
    ["a nullable text", z.string().nullable(), null],
    ["anything", z.unknown(), undefined],
  ])("[OBJ2] no request, and null, is what the schema takes of undefined, null and {}: %s", (_, schema, expected) => {
    expect(parse(schema)).toEqual(expected);
    expect(parse(schema, null)).toEqual(expected);
  });

  test("[OBJ2] where it takes none of them, the issues are about what is missing", () => {
    const issuesOf = (schema: z.ZodType) => {
      try {
        return parse(schema);
      } catch (error) {
        return error;
      }
    };
    expect(issuesOf(z.object({ by: z.number(), limit: z.number().default(1) }))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("The request of list does not fit at by: "),
      details: { issues: [{ path: ["by"] }] },
    });
    expect(issuesOf(z.string())).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: "The request of list does not fit: Invalid input: expected string, received undefined",
    });
  });

  test("[OBJ2] a request is parsed as it is", () => {
    expect(parse(defaults, { limit: 3 })).toEqual({ limit: 3 });
    expect(parse(defaults, {})).toEqual({ limit: 10 });
    for (const bad of [false, 0, "", [], { limit: null }])
      expect(() => parse(defaults, bad)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    for (const fine of [{}, []]) expect(parse(undefined, fine)).toBeUndefined();
    expect(() => parse(undefined, { by: 1 })).toThrow("list takes no request");
  });

  test("[OBJ2] a schema whose own code throws is a fault of the class, not of the caller", () => {
    const schema = z.string().refine((text) => JSON.parse(text) !== null);
    expect(parse(schema, "1")).toBe("1");
    expect(() => parse(schema, "{")).toThrow(
      expect.objectContaining({ code: "INTERNAL", retryable: false, cause: expect.any(SyntaxError) }),
    );
  });
});
