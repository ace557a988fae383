import * as z from "zod";
import { publicError } from "../errors/public-error.ts";
import type { CallRecord } from "../reliable/call-record.ts";
import { about, errorSchema, jsonValue, moment } from "./schemas.ts";

export const callIdText = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .register(about, { examples: ["01JD2M6Z3Q8V7T"] });

const statuses = ["pending", "parked", "success", "failed", "expired"] as const;
export const callStatus = z.enum(statuses);

/** Where a reliable call stands. */
export const callSchema = z
  .object({
    callId: z.string(),
    status: z.enum([...statuses, "waiting"]),
    notBefore: moment.optional().register(about, { description: "When a call that is `waiting` is made" }),
    response: jsonValue.optional(),
    error: errorSchema.optional(),
    attempts: z.number().int(),
    acceptedAt: moment,
    finishedAt: moment.optional(),
  })
  .register(about, { id: "Call" });

/** A reliable call as its caller sees it: JSON text, with `more` members in front. Texts are put in as they are. */
export function callView(record: CallRecord, more: Readonly<Record<string, unknown>> = {}): string {
  const members = {
    ...more,
    callId: record.callId,
    ...(record.notBefore === undefined ? { status: record.status } : waiting(record.notBefore)),
    attempts: record.attempts,
    acceptedAt: new Date(record.acceptedAt).toISOString(),
    ...(record.finishedAt === null ? {} : { finishedAt: new Date(record.finishedAt).toISOString() }),
    ...(record.error === null ? {} : { error: publicError(record.error) }),
  };
  const text = JSON.stringify(members);
  return record.status === "success" ? `${text.slice(0, -1)},"response":${record.response ?? "null"}}` : text;
}

/** The state of a call that waits for its time ([TIME7]). */
export function waiting(notBefore: number) {
  return { status: "waiting", notBefore: new Date(notBefore).toISOString() } as const;
}

/** Where the status of a reliable call is. */
export function callPath(basePath: string, type: string, id: string, callId: string): string {
  const names = [type, id, callId].map(encodeURIComponent);
  return `${basePath}/api/v1/objects/calls/${names.join("/")}`;
}
