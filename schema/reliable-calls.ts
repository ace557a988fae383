import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  bigserial,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  unique,
} from "drizzle-orm/pg-core";

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** The id of the call that made a call, as its caller says. */
const causeCallId = (caller: AnyPgColumn) => sql`(${caller} -> 'cause' ->> 'callId')`;

/**
 * The log of reliable calls ([CALL5]) and a way in ([CALL11]): an outside program inserts a call with `call_id`,
 * `object_type`, `object_id`, `method` and `request`; the defaults make it pending, unaccepted (epoch 0), shard unknown (-1).
 *
 * A JSON text that jsonb cannot hold is kept in a wrapper: see `src/reliable/jsonb-text.ts`.
 */
export const reliableCalls = pgTable(
  "edgeverse_reliable_calls",
  {
    seq: bigserial("seq", { mode: "bigint" }).primaryKey(),
    callId: text("call_id").notNull(),
    objectType: text("object_type").notNull(),
    objectId: text("object_id").notNull(),
    shard: integer("shard").notNull().default(-1),
    method: text("method").notNull(),
    request: jsonb("request"),
    requestHash: text("request_hash").notNull().default(""),
    status: text("status", { enum: ["pending", "parked", "success", "failed", "expired"] })
      .notNull()
      .default("pending"),
    response: jsonb("response"),
    error: jsonb("error"),
    caller: jsonb("caller"),
    traceId: text("trace_id"),
    attempts: integer("attempts").notNull().default(0),
    epoch: bigint("epoch", { mode: "number" }).notNull().default(0),
    acceptedAt: instant("accepted_at").notNull().defaultNow(),
    finishedAt: instant("finished_at"),
    updatedAt: instant("updated_at").notNull().defaultNow(),
    expiresAt: instant("expires_at"),
    // What happened to a call that took more than one attempt, or was parked ([CALL16]).
    history: jsonb("history"),
  },
  (t) => [
    unique("edgeverse_reliable_calls_key").on(t.objectType, t.objectId, t.callId),
    check("edgeverse_reliable_calls_status", sql`${t.status} in ('pending', 'parked', 'success', 'failed', 'expired')`),
    // What a person or the reconciler looks for. Nearly every row is a success, and those stay out of this index.
    index("edgeverse_reliable_calls_open").on(t.status, t.seq).where(sql`${t.status} <> 'success'`),
    // Retention: covers the count, and finds the oldest without reading the table.
    index("edgeverse_reliable_calls_finished").on(t.finishedAt, t.status).where(sql`${t.status} <> 'pending'`),
    // What a call has made ([CALL16]). Only calls that others have made are in it.
    index("edgeverse_reliable_calls_cause")
      .on(causeCallId(t.caller))
      .where(sql`${causeCallId(t.caller)} is not null`),
    index("edgeverse_reliable_calls_object").on(t.objectId, t.seq),
    index("edgeverse_reliable_calls_type").on(t.objectType, t.seq),
  ],
);
