import type { SqlExecutor, SqlResult, SqlStatement } from "./executor.ts";

export interface LazyExecutorOptions {
  readonly open: () => Promise<SqlExecutor>;
  /** How long it may take before somebody is told, ms. Default 5,000. */
  readonly slowAfterMs?: number;
  /** Hears, in a sentence, that the database can't be opened, or not soon; once of each trouble until it is open. */
  readonly onTrouble: (message: string) => void;
}

/**
 * A database that is opened for its first statement: most runs of a local host never log a reliable call, and the embedded
 * Postgres takes memory. When it can't be opened the statement fails, and the next one tries again.
 */
export class LazyExecutor implements SqlExecutor {
  readonly #options: LazyExecutorOptions;
  #opening: Promise<SqlExecutor> | undefined;
  #closed = false;
  #told = "";

  constructor(options: LazyExecutorOptions) {
    this.#options = options;
  }

  async run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]> {
    if (this.#closed) throw new Error("The database is closed");
    this.#opening ??= this.#open();
    return (await this.#opening).run(statements, transaction);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.close();
  }

  async #open(): Promise<SqlExecutor> {
    const { open, slowAfterMs = 5_000 } = this.#options;
    const slow = setTimeout(() => this.#tell(`it is not open after ${slowAfterMs / 1_000} s`), slowAfterMs);
    try {
      const executor = await open();
      this.#told = "";
      return executor;
    } catch (error) {
      this.#opening = undefined;
      this.#tell(error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      clearTimeout(slow);
    }
  }

  #tell(trouble: string): void {
    if (trouble === this.#told) return;
    this.#told = trouble;
    this.#options.onTrouble(trouble);
  }
}
