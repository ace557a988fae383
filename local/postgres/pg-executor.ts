import pg from "pg";
import type { SqlExecutor, SqlResult, SqlStatement } from "./executor.ts";

export interface PgExecutorOptions {
  readonly databaseUrl: string;
  /** Connections at most. Default 10. */
  readonly connections?: number;
  /** How long to wait for a connection, ms. Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** How long one statement may take, ms. Default 60,000. */
  readonly statementTimeoutMs?: number;
}

/** A pool of connections to a Postgres server. Connects when first used. */
export class PgExecutor implements SqlExecutor {
  readonly #pool: pg.Pool;

  constructor(options: PgExecutorOptions) {
    this.#pool = new pg.Pool({
      connectionString: options.databaseUrl,
      max: options.connections ?? 10,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 3_000,
      statement_timeout: options.statementTimeoutMs ?? 60_000,
      // The answers go on as text: `pg` must not parse them.
      types: { getTypeParser: () => (text: string) => text },
      application_name: "edgeverse",
    });
    // An idle connection that dies is replaced by the next query. Without a listener it would end the process.
    this.#pool.on("error", () => {});
  }

  async run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    // A connection may die between two statements; its next query then rejects, which is where it is handled.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on("error", onError);
    try {
      if (!transaction) return await runAll(client, statements);
      await client.query("begin");
      const results = await runAll(client, statements);
      await client.query("commit");
      return results;
    } catch (error) {
      if (transaction) {
        await client.query("rollback").catch((failure: Error) => {
          broken = failure;
        });
      }
      throw error;
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

async function runAll(client: pg.PoolClient, statements: readonly SqlStatement[]): Promise<SqlResult[]> {
  const results: SqlResult[] = [];
  for (const { query, params } of statements) {
    // Extended mode also without parameters: one statement is one statement, as with Neon.
    const config = { text: query, values: [...params], rowMode: "array" as const, queryMode: "extended" };
    const { command, rowCount, fields, rows } = await client.query<(string | null)[]>(config);
    const names = fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }));
    results.push({ command, rowCount, fields: names, rows });
  }
  return results;
}
