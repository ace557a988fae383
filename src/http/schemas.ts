import * as z from "zod";
import { CODES, type ErrorCode } from "../errors/codes.ts";
import { isPartitionName } from "../identity/object-id.ts";

/** What a schema says of itself in the OpenAPI document. With an `id` it is a component there. */
interface About {
  readonly id?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  /** In place of what zod makes of it. */
  readonly [keyword: string]: unknown;
}

/** Where Edgeverse's schemas say it: zod's global registry is the author's. */
export const about = z.registry<About>();

const codes = Object.keys(CODES) as [ErrorCode, ...ErrorCode[]];

/** Any JSON value. */
export const jsonValue = z.unknown().register(about, { description: "Any JSON value" });

/** A whole number that counts something. */
export const count = z.number().int();

export const moment = z.iso.datetime().register(about, { examples: ["2026-11-20T12:00:00.000Z"] });

export const problemSchema = z
  .object({
    type: z.string().register(about, { examples: ["urn:edgeverse:error:INVALID_ID"] }),
    title: z.string(),
    status: count,
    detail: z.string(),
    code: z.enum(codes),
    requestId: z.string(),
    reason: z.string().optional().register(about, { description: "The method's own code, with CALL_FAILED" }),
    details: jsonValue.optional(),
    retryable: z.boolean(),
  })
  .register(about, { id: "Problem" });

/** An error inside an answer that is not itself one: a batch item's, a reliable call's. */
export const errorSchema = z
  .object({
    code: z.enum(codes),
    message: z.string(),
    reason: z.string().optional(),
    details: jsonValue.optional(),
    retryable: z.boolean(),
    retryAfter: z.number().optional().register(about, { description: "Seconds" }),
  })
  .register(about, { id: "Error" });

export const typeName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/)
  .register(about, { examples: ["Counter"] });
export const objectId = z
  .string()
  .min(1)
  .register(about, { description: "1 to 512 bytes of UTF-8, percent-encoded in a path", examples: ["visits"] });

export const objectParams = z.object({ type: typeName, id: objectId });
/** `{partition}` and `{shard}` of a path. Which there are is for the coordinator and the map to say. */
export const partitionParams = z.object({ partition: z.string().register(about, { examples: ["p1"] }) });
export const shardParams = z.object({ shard: z.string().register(about, { type: "integer", minimum: 0 }) });

/** A whole number in a query: coercion would take an empty text for zero. */
export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text), "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(least).max(most))
    .register(about, { type: "integer", minimum: least, maximum: most });
}

/** Yes or no in a query. */
export const yesOrNo = z
  .string()
  .refine((text) => text === "true" || text === "false", "must be true or false")
  .transform((text) => text === "true")
  .register(about, { type: "boolean" });

export const partitionName = z
  .string()
  .refine(isPartitionName, "must be letters, digits, _ and -, at most 63, beginning with a letter or digit")
  .register(about, { examples: ["p1"] });
