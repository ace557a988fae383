import { and, isNotNull, min, or, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { reliableCalls as t } from "../schema/reliable-calls.ts";
import type { WireError } from "../src/errors/edgeverse-error.ts";
import type { CallKey, CallStatus } from "../src/reliable/call-record.ts";
import { fromJsonbText } from "../src/reliable/jsonb-text.ts";
import type { CallCount, LoggedCall } from "../src/reliable/ports.ts";

// As text: the core passes JSON on unread, so parsing it here would be work for nothing.
const jsonText = (column: PgColumn) => sql<string | null>`${column}::text`;

/** How large a call is: of what can be large. Bytes of UTF-8, which are never fewer than characters. */
export const CHARACTERS = sql<string>`coalesce(octet_length(${t.request}::text), 0) + coalesce(octet_length(${t.response}::text), 0)`;

/** The columns of a `LoggedCall`, for `select`. */
export const LOGGED = {
  seq: t.seq,
  callId: t.callId,
  type: t.objectType,
  id: t.objectId,
  shard: t.shard,
  method: t.method,
  request: jsonText(t.request),
  requestHash: t.requestHash,
  status: t.status,
  response: jsonText(t.response),
  error: jsonText(t.error),
  caller: jsonText(t.caller),
  traceId: t.traceId,
  attempts: t.attempts,
  epoch: t.epoch,
  acceptedAt: t.acceptedAt,
  finishedAt: t.finishedAt,
  expiresAt: t.expiresAt,
  history: jsonText(t.history),
};

/** What made a call. That of its call id is what the index goes by. */
const cause = (member: "type" | "id" | "callId") => sql<string>`(${t.caller} -> 'cause' ->> ${sql.raw(`'${member}'`)})`;
const CAUSE = { type: cause("type"), id: cause("id"), callId: cause("callId") };

/** Whether one of these calls has made a call. */
export function causedByOne(causes: readonly CallKey[]): SQL | undefined {
  const one = ({ type, id, callId }: CallKey) =>
    and(sql`${CAUSE.callId} = ${callId}`, sql`${CAUSE.type} = ${type}`, sql`${CAUSE.id} = ${id}`);
  return and(isNotNull(CAUSE.callId), or(...causes.map(one)));
}

/** The columns of a call, without what may be large. */
const { request: _request, response: _response, history: _history, ...short } = LOGGED;
export const SHORT = short;

const stored = (column: PgColumn) => sql`coalesce(pg_column_size(${column}), 0)`;

/** The columns of a `CallCount`, grouped by type and status. The size is that on the disk: it takes no reading. */
export const COUNTED = {
  type: t.objectType,
  status: t.status,
  count: sql<string>`count(*)`,
  oldest: min(t.acceptedAt),
  bytes: sql<string>`sum(${stored(t.request)} + ${stored(t.response)} + ${stored(t.error)})`,
};

export function toCallCount(row: {
  readonly type: string;
  readonly status: CallStatus;
  readonly count: string;
  readonly oldest: Date | null;
  readonly bytes: string;
}): CallCount {
  return { ...row, count: Number(row.count), oldest: toMs(row.oldest), bytes: Number(row.bytes) };
}

type Selected = Pick<
  typeof t.$inferSelect,
  "seq" | "callId" | "shard" | "method" | "requestHash" | "status" | "traceId" | "attempts" | "epoch"
> & {
  readonly type: string;
  readonly id: string;
  readonly request: string | null;
  readonly response: string | null;
  readonly error: string | null;
  readonly caller: string | null;
  readonly acceptedAt: Date;
  readonly finishedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly history?: string | null;
};

/** A row as the core sees it. */
export function toLoggedCall(row: Selected): LoggedCall {
  const error = fromJsonbText(row.error);
  return {
    ...row,
    seq: String(row.seq),
    request: fromJsonbText(row.request),
    response: fromJsonbText(row.response),
    error: error === null ? null : (JSON.parse(error) as WireError),
    caller: fromJsonbText(row.caller),
    acceptedAt: toMs(row.acceptedAt) ?? 0,
    finishedAt: toMs(row.finishedAt),
    expiresAt: toMs(row.expiresAt),
    history: fromJsonbText(row.history ?? null) ?? undefined,
  };
}

/** Postgres knows times that `Date` does not, `infinity` among them. An outside program may store one; it means none. */
function toMs(date: Date | null): number | null {
  const ms = date?.getTime() ?? Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
