import * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { NotJsonError, parseJson } from "../object/json.ts";
import { validationError } from "../object/validation-error.ts";
import type { HttpContext } from "./route.ts";

const BLANK = /^[ \t\r\n]*$/;

/**
 * Parses a body once. An empty one is `{}`.
 * @throws EdgeverseError `INVALID_JSON`, or `INVALID_ARGUMENT` when it is JSON that does not fit
 */
export function parseBody<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(BLANK.test(text) ? {} : parseText(text));
  if (parsed.success) return parsed.data;
  throw validationError("The body", parsed.error);
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

/** The query of a request. @throws EdgeverseError `INVALID_ARGUMENT` */
export function parseQuery<Schema extends z.ZodType>(context: HttpContext, schema: Schema): z.output<Schema> {
  const { searchParams } = new URL(context.request.url);
  const parsed = schema.safeParse(Object.fromEntries(searchParams));
  if (parsed.success) return parsed.data;
  throw validationError("The query", parsed.error);
}

/** The body of a change that takes none. */
export const NOTHING = z.strictObject({});

/**
 * The body of an operator's change. Whatever would be ignored is refused, a query too: a misplaced `dryRun` must not become
 * the real thing.
 *
 * @throws EdgeverseError `INVALID_ARGUMENT`, `INVALID_JSON` or `PAYLOAD_TOO_LARGE`
 */
export async function readChange<Schema extends z.ZodType>(
  context: HttpContext,
  schema: Schema,
): Promise<z.output<Schema>> {
  parseQuery(context, NOTHING);
  return parseBody(await context.body.text(), schema);
}
