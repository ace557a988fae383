import type { SqlRow, SqlStorage } from "../../platform/ports.ts";
import type { CallRecord } from "../../reliable/call-record.ts";

/** The record of an outcome on its way to the log. */
export interface BacklogRecord extends CallRecord {
  readonly position: number;
  /** The caller is told only when the log has it ([CALL6]). */
  readonly ahead: boolean;
}

/** One row of the backlog. */
export interface BacklogRow {
  readonly n: number;
  readonly records: readonly BacklogRecord[];
}

interface StoredRow extends SqlRow {
  n: number;
  list: string;
  request: string | null;
  response: string | null;
}

/** Characters and records of one row; a record with more stands alone. */
const ROW = 256 * 1024;
const RECORDS = 250;
/** Characters of request and response beyond which a record stands alone, outside the list: nothing in them needs escapes. */
const LARGE = 32 * 1024;
/** Characters of request and response that surely fit in one row of 2 MB. */
const FITS = 600_000;
/** What a record takes beside its request and response, roughly. */
const RECORD = 400;

/** The outcomes that the log has yet to see, in order. A commit appends a row for many; the shipper takes from the front. */
export class Backlog {
  readonly #storage: SqlStorage;
  #size: { readonly records: number; readonly bytes: number } | undefined;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  /** How much there is, in records and roughly in bytes. Takes two rows to tell, after a write. */
  get size(): { readonly records: number; readonly bytes: number } {
    this.#size ??= this.#measured();
    return this.#size;
  }

  /** When the first outcome was reached, ms since the epoch; infinite without one. */
  get oldest(): number {
    return this.front({ records: 1, bytes: 0 })[0]?.records[0]?.finishedAt ?? Number.POSITIVE_INFINITY;
  }

  /** To be called inside the transaction that stores the outcomes. */
  append(records: readonly BacklogRecord[]): void {
    let list: string[] = [];
    let characters = 0;
    let bytes = 0;
    const flush = () => {
      if (list.length > 0) this.#insert(list, bytes, null, null);
      list = [];
      characters = 0;
      bytes = 0;
    };
    for (const record of records) {
      const size = (record.request?.length ?? 0) + (record.response?.length ?? 0);
      if (size > LARGE) {
        const { request, response, ...rest } = record;
        flush();
        this.#insert([JSON.stringify(rest)], RECORD + size, size > FITS ? null : request, response);
        continue;
      }
      const text = JSON.stringify(record);
      if (list.length === RECORDS || characters + text.length > ROW) flush();
      list.push(text);
      characters += text.length;
      bytes += RECORD + size;
    }
    flush();
  }

  /** The first rows, with at most so many records and bytes in all, unless the first row has more. */
  front(most: { readonly records: number; readonly bytes: number }): BacklogRow[] {
    const sizes = this.#storage.query<{ n: number; records: number; bytes: number }>(
      "SELECT n, records, bytes FROM backlog ORDER BY n LIMIT ?",
      most.records,
    );
    let [rows, records, bytes] = [0, 0, 0];
    for (const size of sizes) {
      records += size.records;
      bytes += size.bytes;
      if (rows > 0 && (records > most.records || bytes > most.bytes)) break;
      rows++;
    }
    return this.#storage
      .query<StoredRow>("SELECT n, list, request, response FROM backlog ORDER BY n LIMIT ?", rows)
      .map(({ n, list, request, response }) => ({
        n,
        // A large record has its texts beside the list.
        records: (JSON.parse(list) as BacklogRecord[]).map((record) =>
          "response" in record ? record : Object.assign(record, { request, response }),
        ),
      }));
  }

  /** Rows may have been written by others. */
  arrived(): void {
    this.#size = undefined;
  }

  /** The log has these. */
  remove(rows: readonly BacklogRow[]): void {
    this.#size = undefined;
    const [first, last] = [rows[0]?.n ?? 0, rows.at(-1)?.n ?? -1];
    this.#storage.query("DELETE FROM backlog WHERE n BETWEEN ? AND ?", first, last);
  }

  #insert(list: readonly string[], bytes: number, request: string | null, response: string | null): void {
    this.#size = undefined;
    this.#storage.query(
      `INSERT INTO backlog (n, records, at, bytes, list, request, response)
       SELECT coalesce(max(n) + records, 1), ?, coalesce(at + bytes, 0), ?, ?, ?, ? FROM
         (SELECT n, records, at, bytes FROM backlog ORDER BY n DESC LIMIT 1)`,
      list.length,
      bytes,
      `[${list.join(",")}]`,
      request,
      response,
    );
  }

  #measured(): { records: number; bytes: number } {
    const [size] = this.#storage.query<{ records: number; bytes: number }>(
      `SELECT back.n + back.records - front.n AS records, back.at + back.bytes - front.at AS bytes FROM
         (SELECT n, at FROM backlog ORDER BY n LIMIT 1) AS front,
         (SELECT n, records, at, bytes FROM backlog ORDER BY n DESC LIMIT 1) AS back`,
    );
    return size ?? { records: 0, bytes: 0 };
  }
}
