import type { z } from "@hono/zod-openapi";
import { misfit } from "./misfit.ts";
import type { EdgeContext } from "./route.ts";

/** The query of a request. @throws EdgeverseError `INVALID_ARGUMENT` */
export function parseQuery<Schema extends z.ZodType>(context: EdgeContext, schema: Schema): z.output<Schema> {
  const { searchParams } = new URL(context.req.raw.url);
  const parsed = schema.safeParse(Object.fromEntries(searchParams));
  if (parsed.success) return parsed.data;
  throw misfit("The query", parsed.error);
}
