import type * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";

/**
 * The `INVALID_ARGUMENT` of something that does not fit its schema, with the path of each issue.
 *
 * @param what begins the sentence: "The body"
 * @param at the path of the value that was parsed
 */
export function validationError(what: string, error: z.ZodError, at: readonly PropertyKey[] = []): EdgeverseError {
  const issues = error.issues
    .slice(0, 20)
    .map(({ path, message, code }) => ({ path: [...at, ...path], message, code }));
  const first = issues[0];
  const where = first === undefined || first.path.length === 0 ? "" : ` at ${first.path.map(String).join(".")}`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return new EdgeverseError("INVALID_ARGUMENT", `${what} does not fit${where}: ${first?.message}${more}`, {
    details: { issues },
  });
}
