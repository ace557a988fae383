import { neon } from "@neondatabase/serverless";
import type { SqlExecutor, SqlResult, SqlStatement } from "./executor.ts";

/** Parses no value: everything stays Postgres text. */
const RAW_TEXT = { getTypeParser: () => (text: string) => text };

/** A database at Neon, over HTTP. Used to apply migrations; workers talk to Neon themselves. */
export class NeonExecutor implements SqlExecutor {
  readonly #sql: ReturnType<typeof neon<true, true>>;

  constructor(databaseUrl: string) {
    this.#sql = neon(databaseUrl, {
      arrayMode: true,
      fullResults: true,
      disableWarningInBrowsers: true,
      types: RAW_TEXT,
    });
  }

  async run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]> {
    const prepare = ({ query, params }: SqlStatement) => this.#sql.query(query, [...params]);
    const fetchOptions = { signal: AbortSignal.timeout(60_000) };
    if (transaction) return (await this.#sql.transaction(statements.map(prepare), { fetchOptions })).map(toResult);
    const results: SqlResult[] = [];
    for (const one of statements) results.push(toResult(await prepare(one)));
    return results;
  }

  async close(): Promise<void> {}
}

function toResult(result: {
  command: string;
  rowCount: number;
  fields: SqlResult["fields"];
  rows: unknown[][];
}): SqlResult {
  const { command, rowCount, fields, rows } = result;
  return { command, rowCount, fields, rows: rows as (string | null)[][] };
}
