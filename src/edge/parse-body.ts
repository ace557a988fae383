import type { z } from "@hono/zod-openapi";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { NotJsonError, parseJson } from "../object/json.ts";
import { misfit } from "./misfit.ts";

const BLANK = /^[ \t\r\n]*$/;

/**
 * Parses a body once. An empty one is `{}`.
 * @throws EdgeverseError `INVALID_JSON`, or `INVALID_ARGUMENT` when it is JSON that does not fit
 */
export function parseBody<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(BLANK.test(text) ? {} : parseText(text));
  if (parsed.success) return parsed.data;
  throw misfit("The body", parsed.error);
}

function parseText(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new EdgeverseError("INVALID_JSON", `The body is not JSON: ${error.message}`);
    if (!(error instanceof NotJsonError)) throw error;
    const issue = { path: error.path, message: error.message, code: "custom" };
    throw new EdgeverseError("INVALID_ARGUMENT", `Cannot use the body: ${error.message}`, {
      details: { issues: [issue] },
    });
  }
}
