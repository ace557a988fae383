/**
 * The seams between the core and whatever runs it. Everything the core needs from a platform comes in through these
 * interfaces; `durable/` implements them on Cloudflare, `src/testing/` in memory. Ports that one folder alone needs are
 * declared in that folder's own `ports.ts`.
 */

/** Undoes a scheduled action. Calling it twice, or after the action ran, does nothing. */
export type Cancel = () => void;

/** Wall clock and timers. All times are milliseconds since the Unix epoch. */
export interface Clock {
  now(): number;
  /** Runs `action` once, `delay` ms from now at the earliest. It may never run if the process ends. */
  after(delay: number, action: () => void): Cancel;
  /** Runs `action` once, after the events that are waiting already; sooner than any timer. It may never run likewise. */
  soon(action: () => void): void;
}

/** Unpredictable values. */
export interface Random {
  /** A new UUID (any version), used for request and call ids. */
  uuid(): string;
}

/** A value that follows an asynchronous flow through every `await`, the shape of `AsyncLocalStorage`. */
export interface AsyncScope<T> {
  run<R>(value: T, action: () => R): R;
  get(): T | undefined;
}

export type SqlValue = string | number | null;
export type SqlRow = Record<string, SqlValue>;

/**
 * One SQLite database, owned by one Durable Object (or one simulated process).
 *
 * Writes are visible to `query` at once and durable later: whoever lets anything leave (a reply, a call to another
 * partition, a row for Postgres) awaits `barrier()` first.
 */
export interface SqlStorage {
  /** Runs one statement and returns its rows. Throws on a SQL error. */
  query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[];
  /** Runs `action` atomically: all its statements apply, or (it threw) none. Not nested. */
  transaction<R>(action: () => R): R;
  /**
   * Resolves once everything written so far is durable, or once the platform guarantees that nothing leaves this
   * instance before it is (Cloudflare's output gate). Rejects when the writes were lost.
   */
  barrier(): Promise<void>;
  /**
   * Asks to be woken at `time` even if the process ends before it; `null` withdraws it. Commits like a write. What is woken
   * is asked again if its process ends before it has answered.
   */
  wakeAt(time: number | null): void;
}
