import type { SqlRow, SqlStorage, SqlValue } from "../src/platform/ports.ts";

/**
 * A Durable Object's SQLite as the core's storage port. Writes are durable later, but the platform's output gate holds
 * every message of the object (replies, RPC, fetch) until they are, and resets the object if they fail: so `barrier` need
 * not wait.
 */
export class DurableStorage implements SqlStorage {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    return this.#storage.sql.exec<Row>(sql, ...params).toArray();
  }

  transaction<R>(action: () => R): R {
    return this.#storage.transactionSync(action);
  }

  barrier(): Promise<void> {
    return Promise.resolve();
  }

  wakeAt(time: number | null): void {
    // Ordered with the writes around it by the platform; a failure resets the object like any failed write.
    void (time === null ? this.#storage.deleteAlarm() : this.#storage.setAlarm(time));
  }
}
