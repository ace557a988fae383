import { z } from "@hono/zod-openapi";
import { readBody } from "./body.ts";
import { parseBody } from "./parse-body.ts";
import { parseQuery } from "./parse-query.ts";
import type { EdgeParts } from "./ports.ts";
import type { EdgeContext } from "./route.ts";

/** The body of a change that takes none. */
export const NOTHING = z.strictObject({});

/**
 * The body of an operator's change. Whatever would be ignored is refused, a query too: a misplaced `dryRun` must not become
 * the real thing.
 *
 * @throws EdgeverseError `INVALID_ARGUMENT`, `INVALID_JSON` or `PAYLOAD_TOO_LARGE`
 */
export async function readChange<Schema extends z.ZodType>(
  context: EdgeContext,
  { config }: Pick<EdgeParts, "config">,
  schema: Schema,
): Promise<z.output<Schema>> {
  parseQuery(context, NOTHING);
  return parseBody(await readBody(context.req.raw, config.maxBody), schema);
}
