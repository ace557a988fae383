import { drizzle, type PgRemoteDatabase } from "drizzle-orm/pg-proxy";
import { NeonClient, NeonError, type NeonOptions, type SqlResult } from "./neon-client.ts";

/** Postgres's number for the type boolean. */
const BOOLEAN = 16;

/**
 * Drizzle over Neon's HTTP protocol. Its columns read Postgres text themselves; `execute` gives rows as objects of text.
 *
 * @throws INVALID_ARGUMENT when `url` is not a Postgres URL; the message never shows it, it holds a password
 */
export function openNeon(options: NeonOptions): PgRemoteDatabase {
  const client = new NeonClient(options);
  return drizzle(async (query, params: readonly unknown[], method) => {
    const { fields, rows } = await client.query({ query, params: params.map(toText) });
    const values = rows.map((row) => row.map((text, at) => toValue(text, fields[at])));
    if (method === "all") return { rows: values };
    return { rows: values.map((row) => Object.fromEntries(fields.map(({ name }, at) => [name, row[at]]))) };
  });
}

/** Columns give texts for what JSON or a time is. */
function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  throw new TypeError(`Cannot send a parameter of type ${typeof value}`);
}

/** A boolean is the one type whose text drizzle's columns do not read. */
function toValue(text: string | null, field: SqlResult["fields"][number] | undefined): string | boolean | null {
  return field?.dataTypeID === BOOLEAN && text !== null ? text === "t" : text;
}

/** What went wrong with a statement. `state` is Postgres's SQLSTATE, if it answered with one. */
export interface NeonFailure {
  readonly state: string | undefined;
  /** The connection failed before an answer came, and not for lack of time. */
  readonly unconnected: boolean;
  readonly reason: string;
}

/** Reads an error of a statement. Drizzle's own message is dropped: it repeats the statement's parameters. */
export function readFailure(thrown: unknown): NeonFailure {
  const error = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  if (!(error instanceof NeonError)) {
    return { state: undefined, unconnected: false, reason: error instanceof Error ? error.name : "unknown failure" };
  }
  const { code, unconnected, message } = error;
  return { state: code, unconnected, reason: code === undefined ? message.slice(0, 200) : `${code} ${message}` };
}
