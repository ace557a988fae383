import type * as z from "zod";
// By its name: the object `z.core` would bring all of zod with it, the messages of every language too.
import { $ZodAsyncError } from "zod/v4/core";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { copyJson, NotJsonError } from "./json.ts";
import type { ObjectClass } from "./object-class.ts";
import { parseRequest } from "./request.ts";

/* What is wrong with schemas of a class, as far as it shows before there are objects. Each gives undefined for nothing. */

/**
 * Why objects with this state schema could not be used: a new object's state is what it makes of `{}`, and every state is
 * read again as it was written.
 */
export function stateSchemaFault(schema: z.ZodType): string | undefined {
  try {
    const first = schema.safeParse({});
    if (!first.success) return `refuses {}, what a new object's state is made of: ${issueOf(first.error)}`;
    const again = schema.safeParse(copyJson(first.data));
    if (!again.success) return `refuses what it makes of {}: ${issueOf(again.error)}`;
  } catch (error) {
    if (error instanceof $ZodAsyncError) return "is asynchronous";
    if (error instanceof NotJsonError) return `makes something of {} that is not JSON: ${error.message}`;
    // Its own code failed, which may be for want of a turn: random values, for one, can't be had while a Worker loads.
  }
  return undefined;
}

/** Why no request could be parsed. */
export function requestSchemaFault(schema: z.ZodType): string | undefined {
  try {
    schema.safeParse({});
  } catch (error) {
    if (error instanceof $ZodAsyncError) return "is asynchronous";
  }
  return undefined;
}

/** Why objects of this class could not be created: those that a call or `autoLoad` makes come without a request. */
export function createSchemaFault({ create, autoCreate, autoLoad }: ObjectClass): string | undefined {
  if (create === undefined) return undefined;
  const fault = requestSchemaFault(create);
  if (fault !== undefined || (!autoCreate && autoLoad === undefined)) return fault;
  const who = autoCreate ? "the first call makes" : "autoLoad makes";
  try {
    parseRequest({ name: "create", request: create }, undefined);
  } catch (error) {
    if (EdgeverseError.from(error).code !== "INVALID_ARGUMENT") return undefined;
    const remedy = autoCreate ? 'set "autoCreate" to false, or take {}' : "take {}";
    return `refuses what ${who} an object with, no request: ${remedy}`;
  }
  return undefined;
}

function issueOf({ issues: [issue] }: z.ZodError): string {
  return issue === undefined || issue.path.length === 0
    ? String(issue?.message)
    : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
