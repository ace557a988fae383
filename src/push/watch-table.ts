import type { SqlStorage } from "../platform/ports.ts";

export interface WatchRow {
  readonly client: string;
  readonly id: number;
  readonly type: string;
  readonly object: string;
}

/** Who watches what, as it outlasts the gate's memory together with the connections. */
export class WatchTable {
  readonly #storage: SqlStorage;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  /** Takes the place of one that could not be removed when its connection ended. */
  add({ client, id, type, object }: WatchRow): void {
    this.#storage.query("INSERT OR REPLACE INTO watches VALUES (?, ?, ?, ?)", client, id, type, object);
  }

  remove(client: string, id: number): void {
    this.#storage.query("DELETE FROM watches WHERE client = ? AND id = ?", client, id);
  }

  removeAll(client: string): void {
    this.#storage.query("DELETE FROM watches WHERE client = ?", client);
  }

  /** Those of these clients; of others, whose connections are gone, they end. */
  restore(clients: readonly string[]): WatchRow[] {
    const among = JSON.stringify(clients);
    this.#storage.query("DELETE FROM watches WHERE client NOT IN (SELECT value FROM json_each(?))", among);
    return this.#storage.query<{ client: string; id: number; type: string; object: string }>("SELECT * FROM watches");
  }
}
