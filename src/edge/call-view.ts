import type { CallRecord } from "../reliable/call-record.ts";
import { publicError } from "./problem.ts";

/** A reliable call as its caller sees it: JSON text, with `more` members in front. Texts are put in as they are. */
export function callView(record: CallRecord, more: Readonly<Record<string, unknown>> = {}): string {
  const members = {
    ...more,
    callId: record.callId,
    status: record.status,
    attempts: record.attempts,
    acceptedAt: new Date(record.acceptedAt).toISOString(),
    ...(record.finishedAt === null ? {} : { finishedAt: new Date(record.finishedAt).toISOString() }),
    ...(record.error === null ? {} : { error: publicError(record.error) }),
  };
  const text = JSON.stringify(members);
  return record.status === "success" ? `${text.slice(0, -1)},"response":${record.response ?? "null"}}` : text;
}
