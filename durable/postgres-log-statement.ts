import { type Column, getTableColumns, type SQL, sql } from "drizzle-orm";
import { reliableCalls as t } from "../schema/reliable-calls.ts";
import type { CallRecord } from "../src/reliable/call-record.ts";
import { toJsonbText, wrapJsonText } from "../src/reliable/jsonb-text.ts";

/** What a column is in the JSON parameter, and how it becomes the column's type. Times are ms, JSON values are texts. */
const KINDS = {
  text: { type: "text", value: (name: SQL) => name },
  integer: { type: "integer", value: (name: SQL) => name },
  bigint: { type: "bigint", value: (name: SQL) => name },
  jsonb: { type: "text", value: (name: SQL) => sql`${name}::jsonb` },
  "timestamp with time zone": { type: "double precision", value: (name: SQL) => sql`to_timestamp(${name} / 1000)` },
};

const { seq: _, updatedAt: __, ...written } = getTableColumns(t);
const KEY: readonly Column[] = [t.objectType, t.objectId, t.callId];
const columns = Object.values(written).map((column) => {
  const kind = KINDS[column.getSQLType() as keyof typeof KINDS];
  return { column, name: sql.identifier(column.name), kind };
});
const list = (parts: SQL[]) => sql.join(parts, sql`, `);

/**
 * One statement for any number of records. One JSON parameter costs the worker one `JSON.stringify`, and never meets the
 * limit on parameters. The JSON values travel as texts and are cast, so that a malformed one cannot reach outside its row.
 */
export function upsertStatement(parameter: string): SQL {
  const row = (name: SQL | ReturnType<typeof sql.identifier>) => sql`r.${name}`;
  return sql`
    insert into ${t} (${list(columns.map(({ name }) => sql`${name}`))})
    select ${list(columns.map(({ name, kind }) => kind.value(row(name))))}
    from json_to_recordset(${parameter}::json) as r(${list(columns.map(({ name, kind }) => sql`${name} ${sql.raw(kind.type)}`))})
    on conflict (${list(KEY.map((column) => sql`${sql.identifier(column.name)}`))}) do update set
      ${list(columns.filter(({ column }) => !KEY.includes(column)).map(({ name }) => sql`${name} = excluded.${name}`))},
      ${sql.identifier(t.updatedAt.name)} = now()
    where ${t.status} in ('pending', 'parked') and (excluded.epoch > ${t.epoch}
      or excluded.epoch = ${t.epoch} and (excluded.status not in ('pending', 'parked') or excluded.attempts > ${t.attempts}
        or excluded.attempts = ${t.attempts} and excluded.status = 'parked' and ${t.status} = 'pending'))`;
}

/** A record as a row of the parameter. `verbatim` wraps its JSON texts whatever they hold. */
export function parameterRow(record: CallRecord, verbatim: boolean): Record<string, string | number | null> {
  const json = (text: string | null) => (text !== null && verbatim ? wrapJsonText(text) : toJsonbText(text));
  return {
    [t.callId.name]: record.callId,
    [t.objectType.name]: record.type,
    [t.objectId.name]: record.id,
    [t.shard.name]: record.shard,
    [t.method.name]: record.method,
    [t.request.name]: json(record.request),
    [t.requestHash.name]: record.requestHash,
    [t.status.name]: record.status,
    [t.response.name]: json(record.response),
    [t.error.name]: record.error === null ? null : json(JSON.stringify(record.error)),
    [t.caller.name]: json(record.caller),
    [t.traceId.name]: record.traceId,
    [t.attempts.name]: record.attempts,
    [t.epoch.name]: record.epoch,
    [t.acceptedAt.name]: record.acceptedAt,
    [t.finishedAt.name]: record.finishedAt,
    [t.expiresAt.name]: record.expiresAt,
    ...(record.history === undefined ? {} : { [t.history.name]: json(record.history) }),
  };
}
