/** A statement with its parameters as Postgres text. */
export interface SqlStatement {
  readonly query: string;
  readonly params: readonly (string | null)[];
}

/** What a statement gave: every value is Postgres text, as the Neon HTTP protocol carries it. */
export interface SqlResult {
  /** The first word of the command tag: `SELECT`, `INSERT`, `CREATE`. */
  readonly command: string;
  readonly rowCount: number | null;
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A Postgres, whichever it is. Errors carry their SQLSTATE in `code`; without one the database could not be reached. */
export interface SqlExecutor {
  /** Runs statements in order on one connection; with `transaction` all apply or none. */
  run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]>;
  close(): Promise<void>;
}

export function statement(query: string, ...params: (string | null)[]): SqlStatement {
  return { query, params };
}
