import type { SqlRow, SqlStorage } from "../platform/ports.ts";
import { type Member, type MemberList, PRESENCE, type PresenceNote } from "./presence-note.ts";

interface ReportRow extends SqlRow {
  version: number;
  count: number;
  members: string;
}

/** Ms between two notes that a gate was heard of. */
const HEARD_EVERY = 30_000;

/** What other gates have reported of the topics that this gate keeps, and when they were heard of last. */
export class PresenceReports {
  readonly #storage: SqlStorage;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
  }

  /** Keeps a report. @returns whether it says something new; the version of the one that is here if that is no older */
  keep(gate: string, { topic, version, count, members }: PresenceNote, now: number): boolean | number {
    const sql = "SELECT version, count, members FROM reports WHERE topic = ? AND gate = ?";
    const [known] = this.#storage.query<ReportRow>(sql, topic, gate);
    if (known !== undefined && known.version >= version) return known.version;
    const text = JSON.stringify(members);
    this.#storage.query(
      `INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (topic, gate) DO UPDATE
       SET version = excluded.version, at = excluded.at, count = excluded.count, members = excluded.members`,
      topic,
      gate,
      version,
      now,
      count,
      text,
    );
    return known?.count !== count || known.members !== text;
  }

  of(topic: string): MemberList[] {
    const sql = "SELECT version, count, members FROM reports WHERE topic = ? AND count > 0";
    return this.#storage
      .query<ReportRow>(sql, topic)
      .map(({ count, members }) => ({ count, members: JSON.parse(members) as Member[] }));
  }

  /** How many are there at other gates. */
  count(topic: string): number {
    const sql = "SELECT coalesce(sum(count), 0) AS n FROM reports WHERE topic = ?";
    return this.#storage.query<{ n: number }>(sql, topic)[0]?.n ?? 0;
  }

  /** The gates where anybody takes part. */
  gates(topic: string): string[] {
    const sql = "SELECT gate FROM reports WHERE topic = ? AND count > 0";
    return this.#storage.query<{ gate: string }>(sql, topic).map(({ gate }) => gate);
  }

  topicsOf(gate: string): string[] {
    const sql = "SELECT topic FROM reports WHERE gate = ? AND count > 0";
    return this.#storage.query<{ topic: string }>(sql, gate).map(({ topic }) => topic);
  }

  /** A gate was heard of. @returns whether it was known */
  heard(gate: string, now: number): boolean {
    const [known] = this.#storage.query<{ heard: number }>("SELECT heard FROM peers WHERE gate = ?", gate);
    if (known === undefined || known.heard < now - HEARD_EVERY)
      this.#storage.query(
        "INSERT INTO peers VALUES (?, ?) ON CONFLICT (gate) DO UPDATE SET heard = excluded.heard",
        gate,
        now,
      );
    return known !== undefined;
  }

  /** Gates that have said nothing for too long. */
  silent(now: number): string[] {
    const sql = "SELECT gate FROM peers WHERE heard <= ?";
    return this.#storage.query<{ gate: string }>(sql, now - PRESENCE.lease).map(({ gate }) => gate);
  }

  /** Drops what a gate has reported. */
  drop(gate: string): void {
    this.#storage.query("DELETE FROM reports WHERE gate = ?", gate);
    this.#storage.query("DELETE FROM peers WHERE gate = ?", gate);
  }

  /** Drops everything: everybody is to report anew. */
  clear(): void {
    this.#storage.query("DELETE FROM reports");
    this.#storage.query("DELETE FROM peers");
  }

  /** Drops reports that nobody is there, once no older ones can come late. */
  sweep(now: number): void {
    this.#storage.query("DELETE FROM reports WHERE count = 0 AND at <= ?", now - PRESENCE.lease);
  }
}
