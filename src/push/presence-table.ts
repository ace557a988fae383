import type { SqlRow, SqlStorage } from "../platform/ports.ts";
import { listOf, type Member, type MemberList, PRESENCE } from "./presence-note.ts";

/** A client that takes part in a topic. */
export interface Part {
  readonly topic: string;
  readonly client: string;
}

interface MemberRow extends SqlRow {
  client: string;
  id: string | null;
  at: number;
}

/** Who takes part in which topic, of the clients of this gate: the truth about them, which outlasts its process. */
export class PresenceTable {
  readonly #storage: SqlStorage;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  /** It is there; one that was away is back, and was never gone. */
  enter(topic: string, { client, id, at }: Member): void {
    const sql = "INSERT INTO present VALUES (?, ?, ?, ?, NULL) ON CONFLICT (client, topic) DO UPDATE SET ends = NULL";
    this.#storage.query(sql, client, topic, id, at);
  }

  has({ topic, client }: Part): boolean {
    const sql = "SELECT 1 AS one FROM present WHERE client = ? AND topic = ?";
    return this.#storage.query(sql, client, topic).length > 0;
  }

  remove({ topic, client }: Part): void {
    this.#storage.query("DELETE FROM present WHERE client = ? AND topic = ?", client, topic);
  }

  topicsOf(client: string): string[] {
    return this.#topics("SELECT topic FROM present WHERE client = ?", client);
  }

  /** All topics in which anybody takes part. */
  get topics(): string[] {
    return this.#topics("SELECT DISTINCT topic FROM present");
  }

  /** Those who are connected. */
  get connected(): Part[] {
    return this.#storage.query<SqlRow & Part>("SELECT topic, client FROM present WHERE ends IS NULL");
  }

  /** Its connection has ended: it goes then, unless it comes back. */
  away(client: string, ends: number): void {
    this.#storage.query("UPDATE present SET ends = ? WHERE client = ? AND ends IS NULL", ends, client);
  }

  /** The same for all that were connected, but for these. */
  othersAway(clients: readonly string[], ends: number): void {
    this.#storage.query(
      "UPDATE present SET ends = ? WHERE ends IS NULL AND client NOT IN (SELECT value FROM json_each(?))",
      ends,
      JSON.stringify(clients),
    );
  }

  /** Those who have been away for too long. */
  over(now: number): Part[] {
    const sql = "SELECT topic, client FROM present WHERE ends <= ? ORDER BY ends LIMIT 1000";
    return this.#storage.query<SqlRow & Part>(sql, now);
  }

  /** When the next of them is; undefined when nobody is away. */
  get nextEnd(): number | undefined {
    const sql = "SELECT ends FROM present WHERE ends IS NOT NULL ORDER BY ends LIMIT 1";
    return this.#storage.query<{ ends: number }>(sql)[0]?.ends;
  }

  count(topic: string): number {
    const sql = "SELECT count(*) AS n FROM present WHERE topic = ?";
    return this.#storage.query<{ n: number }>(sql, topic)[0]?.n ?? 0;
  }

  list(topic: string): MemberList {
    const sql = "SELECT client, id, at FROM present WHERE topic = ? ORDER BY at, client LIMIT ?";
    return listOf(this.count(topic), this.#storage.query<MemberRow>(sql, topic, PRESENCE.listed));
  }

  #topics(sql: string, ...params: string[]): string[] {
    return this.#storage.query<{ topic: string }>(sql, ...params).map(({ topic }) => topic);
  }
}
