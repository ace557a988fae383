import { NeonClient, type NeonOptions } from "../../durable/neon-client.ts";
import type { SqlExecutor, SqlResult, SqlStatement } from "./executor.ts";

/** A database at Neon, over HTTP. Used to apply migrations; workers talk to Neon themselves. */
export class NeonExecutor implements SqlExecutor {
  readonly #client: NeonClient;

  constructor(options: NeonOptions) {
    this.#client = new NeonClient({ timeoutMs: 60_000, ...options });
  }

  async run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]> {
    if (transaction) return this.#client.transaction(statements);
    const results: SqlResult[] = [];
    for (const one of statements) results.push(await this.#client.query(one));
    return results;
  }

  async close(): Promise<void> {}
}
