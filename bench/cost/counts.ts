/** What a bill is made of, as far as it can be counted. */
export interface Counts {
  /** HTTP requests to the Worker, and runs of its crons. */
  readonly workerRequests: number;
  /** RPC calls of Durable Objects, and runs of their alarms. */
  readonly objectRequests: number;
  /** As SQLite in workerd counts them, rows of indexes among them. */
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Alarms set: rows written too, and among them here. */
  readonly alarms: number;
  /** Time that timers kept Durable Objects from sleeping after their last request. */
  readonly timerMs: number;
  readonly statements: number;
  /** Minutes Postgres was awake. */
  readonly postgresMinutes: number;
}

/** The same for one of `units`. */
export function divided(counts: Counts, units: number): Counts {
  return Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, value / units])) as unknown as Counts;
}
