import { once } from "node:events";
import { extname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { SqlExecutor, SqlResult, SqlStatement } from "./executor.ts";
import { PgliteDatabase } from "./pglite-database.ts";
import { OPENED, type ThreadReply, type ThreadRequest } from "./pglite-thread.ts";

/** A thread's module: `.ts`, and `.js` where this package is installed. */
const thread = (name: string): string => join(import.meta.dirname, name + extname(import.meta.filename));

/** How long a close may take before the thread is ended: no worse than a `kill -9`. */
const CLOSE_MS = 10_000;

/**
 * Without the optimising compiler for WebAssembly: it takes 150 to 400 MB to compile Postgres, which then needs a tenth less
 * processor time. Nothing else in this process is WebAssembly.
 */
const SMALL = ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"];

interface Waiting {
  resolve(results: SqlResult[]): void;
  reject(error: Error): void;
}

/**
 * The embedded Postgres, in a thread of its own: for the thread's stack. When Postgres's recursion (a JSON value nested
 * 10,000 deep) meets the end of JavaScript's stack, PGlite spins for ever. In 32 MiB, Postgres's own limit comes first.
 */
export class PgliteExecutor implements SqlExecutor {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = OPENED;
  #closed: Promise<void> | undefined;

  private constructor(thread: Worker) {
    this.#thread = thread;
    thread.on("message", (reply: ThreadReply) => this.#settle(reply));
    thread.on("error", (error) => this.#fail(error));
    thread.on("exit", () => this.#fail(new Error("The embedded Postgres has ended")));
  }

  /**
   * Opens the database in `folder`, made when missing; recovers from whatever ended the last process.
   *
   * @throws Error when another process has it open
   */
  static async open(folder: string): Promise<PgliteExecutor> {
    for (const flag of SMALL) setFlagsFromString(flag);
    const options = { workerData: folder, resourceLimits: { stackSizeMb: 32 } };
    if (!PgliteDatabase.isMade(folder)) await ended(new Worker(thread("pglite-maker"), options));
    const executor = new PgliteExecutor(new Worker(thread("pglite-thread"), options));
    await executor.#answer(OPENED);
    return executor;
  }

  run(statements: readonly SqlStatement[], transaction: boolean): Promise<SqlResult[]> {
    if (this.#closed !== undefined) return Promise.reject(new Error("The embedded Postgres is closed"));
    return this.#ask({ id: ++this.#last, statements, transaction });
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const exited = once(this.#thread, "exit");
    const timer = setTimeout(() => void this.#thread.terminate(), CLOSE_MS);
    await this.#ask({ id: ++this.#last }).catch(() => this.#thread.terminate());
    await exited;
    clearTimeout(timer);
  }

  #ask(request: ThreadRequest): Promise<SqlResult[]> {
    this.#thread.postMessage(request);
    return this.#answer(request.id);
  }

  #answer(id: number): Promise<SqlResult[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #settle({ id, results, error }: ThreadReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(results ?? []);
    else waiting?.reject(Object.assign(new Error(String(error["message"])), error));
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#closed ??= Promise.resolve();
  }
}

/** @throws what the thread threw */
async function ended(worker: Worker): Promise<void> {
  await once(worker, "exit"); // Rejects at an "error".
}
