import type { Clock, SqlRow, SqlStorage, SqlValue } from "../platform/ports.ts";
import { invocation, messageCopy, subrequest } from "./platform-limits.ts";
import { ProcessClock } from "./process-clock.ts";

/**
 * One run of a partition or of the coordinator. When it ends, nothing it still does has an effect: its timers don't fire, its
 * storage takes nothing, and whoever waits for an answer of it finds the connection broken.
 */
export class TestProcess {
  readonly clock: ProcessClock;
  readonly storage: SqlStorage;
  readonly #unanswered = new Set<(error: Error) => void>();
  /** Commits it has left before `#onLast`. */
  #left = Number.POSITIVE_INFINITY;
  #onLast = () => {};
  #inTransaction = false;

  /** @param onAlarm told when the process wants to be woken, should it end before */
  constructor(clock: Clock, storage: SqlStorage, onAlarm: (time: number | null) => void) {
    this.clock = new ProcessClock(clock);
    this.storage = {
      query: <Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]) => {
        this.check();
        const rows = storage.query<Row>(sql, ...params);
        if (!this.#inTransaction && /^\s*(INSERT|UPDATE|DELETE|REPLACE)/i.test(sql)) this.#committed();
        return rows;
      },
      transaction: <R>(action: () => R) => {
        this.check();
        this.#inTransaction = true;
        let result: R;
        try {
          result = storage.transaction(action);
        } finally {
          this.#inTransaction = false;
        }
        this.#committed();
        return result;
      },
      barrier: async () => {
        await storage.barrier();
        if (this.clock.ended) await new Promise<never>(() => undefined);
      },
      wakeAt: (time) => {
        if (this.clock.ended) return;
        storage.wakeAt(time);
        onAlarm(time);
      },
    };
  }

  /** Calls back right after the process has committed that often from now, before anybody hears of the last commit. */
  afterCommits(commits: number, onLast: () => void): void {
    this.#left = commits;
    this.#onLast = onLast;
  }

  /** Runs `action` while the process does. */
  run(action: () => void): void {
    if (!this.clock.ended) action();
  }

  /** @throws Error when the process has ended */
  check(): void {
    if (this.clock.ended) throw new Error("this process has ended");
  }

  /** A service of this process as others reach it by message: a copy of what it answers, or a broken connection. */
  serve<Service extends object>(service: Service): Service {
    const served = Object.entries(service).map(([name, method]: [string, (...args: unknown[]) => Promise<unknown>]) => {
      return [name, (...args: unknown[]) => this.#answer(method, args)];
    });
    return Object.fromEntries(served) as Service;
  }

  end(): void {
    this.clock.end();
    for (const fail of [...this.#unanswered]) fail(broken());
  }

  #answer(method: (...args: unknown[]) => Promise<unknown>, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      subrequest();
      const sent = messageCopy(args);
      this.#unanswered.add(reject);
      const over = () => this.#unanswered.delete(reject);
      invocation(async () => messageCopy(await method(...sent))).then(
        (value) => over() && this.run(() => resolve(value)),
        (error) => over() && this.run(() => reject(error)),
      );
      // It may have ended over this very message.
      if (this.clock.ended) reject(broken());
    });
  }

  #committed(): void {
    if (--this.#left === 0) this.#onLast();
  }
}

/** As the platform marks it. */
function broken(): Error {
  return Object.assign(new Error("the process ended before it answered"), { retryable: true });
}
