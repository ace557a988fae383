import type { SqlResult, SqlStatement } from "../../durable/neon-client.ts";

export type { SqlResult, SqlStatement };

/** A Postgres, whichever it is. Errors carry their SQLSTATE in `code`; without one the database could not be reached. */
export interface SqlExecutor {
  /** Runs statements in order on one connection; with `transaction` all apply or none. */
  run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]>;
  close(): Promise<void>;
}

export function statement(query: string, ...params: (string | null)[]): SqlStatement {
  return { query, params };
}
