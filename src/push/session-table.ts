import type { Identity } from "../access/identity.ts";
import type { SqlRow, SqlStorage } from "../platform/ports.ts";
import { Session } from "./session.ts";

interface SessionRow extends SqlRow {
  client: string;
  hash: string;
  started: number;
  position: number;
  ends: number | null;
  identity: string | null;
  topics: string;
}

/** Sessions that end at a time. */
export const ENDS = 500;

/** The sessions of a gate, as they are stored. What is acknowledged is stored only when a client goes: until then it is in memory. */
export class SessionTable {
  readonly #storage: SqlStorage;
  #count: number;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
    this.#count = storage.query<{ n: number }>("SELECT count(*) AS n FROM sessions")[0]?.n ?? 0;
  }

  /** Sessions, of clients that are connected or away. */
  get count(): number {
    return this.#count;
  }

  add(session: Session, hash: string): void {
    const { client, started, position, identity } = session;
    const who = identity === null ? null : JSON.stringify(identity);
    this.#storage.query(
      "INSERT INTO sessions VALUES (?, ?, ?, ?, NULL, ?, ?)",
      client,
      hash,
      started,
      position,
      who,
      topicsText(session),
    );
    this.#count++;
  }

  /** The session of a client, and the hash of its secret. */
  get(client: string): { readonly session: Session; readonly hash: string } | undefined {
    const [row] = this.#storage.query<SessionRow>("SELECT * FROM sessions WHERE client = ?", client);
    return row === undefined ? undefined : { session: sessionOf(row), hash: row.hash };
  }

  saveTopics(session: Session): void {
    this.#storage.query("UPDATE sessions SET topics = ? WHERE client = ?", topicsText(session), session.client);
  }

  saveIdentity({ client, identity }: Session): void {
    const who = identity === null ? null : JSON.stringify(identity);
    this.#storage.query("UPDATE sessions SET identity = ? WHERE client = ?", who, client);
  }

  /** Its client is connected, from now on perhaps as somebody with other roles. */
  connected({ client, identity, position }: Session): void {
    this.#storage.query(
      "UPDATE sessions SET ends = NULL, identity = ?, position = ? WHERE client = ?",
      identity === null ? null : JSON.stringify(identity),
      position,
      client,
    );
  }

  /** Its client is away: the session ends then, unless it comes back. */
  away({ client, position }: Session, ends: number): void {
    this.#storage.query("UPDATE sessions SET ends = ?, position = ? WHERE client = ?", ends, position, client);
  }

  /** The same for all that were connected, but for `present` ones: the process that had them has ended. */
  othersAway(present: readonly string[], ends: number): void {
    this.#storage.query(
      "UPDATE sessions SET ends = ? WHERE ends IS NULL AND client NOT IN (SELECT value FROM json_each(?))",
      ends,
      JSON.stringify(present),
    );
  }

  /** Ends a session. @param ended is told of it in the same transaction, once */
  remove(session: Session, ended: (session: Session) => void): void {
    const removed = this.#storage.transaction(() => {
      const sql = "DELETE FROM sessions WHERE client = ? RETURNING 1 AS removed";
      const { length } = this.#storage.query(sql, session.client);
      if (length > 0) ended(session);
      return length;
    });
    this.#count -= removed;
  }

  /** Sessions whose clients have been away for too long. */
  over(now: number, limit: number): Session[] {
    const sql = "SELECT * FROM sessions WHERE ends <= ? ORDER BY ends LIMIT ?";
    return this.#storage.query<SessionRow>(sql, now, limit).map(sessionOf);
  }

  /** When the next of them ends; undefined when nobody is away. */
  get nextEnd(): number | undefined {
    const sql = "SELECT ends FROM sessions WHERE ends IS NOT NULL ORDER BY ends LIMIT 1";
    return this.#storage.query<{ ends: number }>(sql)[0]?.ends;
  }
}

function topicsText({ topics }: Session): string {
  return JSON.stringify(Array.from(topics, ([topic, { since }]) => [topic, since]));
}

function sessionOf(row: SessionRow): Session {
  const topics = JSON.parse(row.topics) as [topic: string, since: number][];
  return new Session({
    client: row.client,
    identity: row.identity === null ? null : (JSON.parse(row.identity) as Identity),
    started: row.started,
    position: row.position,
    topics: new Map(topics.map(([topic, since]) => [topic, { segments: topic.split("/"), since }])),
  });
}
