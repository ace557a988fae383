import type { ApiKeyRecord } from "../access/api-key.ts";
import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import { Audit } from "./audit.ts";
import type { AdminResult, KeyCommand, Operator } from "./commands.ts";

/** A key to be kept. */
export interface NewApiKey extends ApiKeyRecord {
  /** What it is for, in words of an operator. */
  readonly name: string;
}

/** A key as operators see it. */
export interface ApiKeyView {
  /** In the order of making. */
  readonly seq: number;
  readonly prefix: string;
  readonly name: string;
  readonly identity: Identity;
  readonly state: "active" | "expired" | "revoked";
  /** Ms since the epoch, as all times here. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** The beginning of the day, by UTC, on which it was last used. */
  readonly usedOn: number | null;
}

/** The coordinator as it keeps API keys ([ACC5]). */
export interface KeyKeeper {
  /** Gives an `ApiKeyView`. */
  make(key: NewApiKey, operator: Operator): Promise<AdminResult>;
  /** Gives an `ApiKeyView`; also of a key that was revoked before. */
  revoke(prefix: string, operator: Operator): Promise<AdminResult>;
  /** Newest first. */
  list(query: { readonly limit: number; readonly before?: number | undefined }): Promise<ApiKeyView[]>;
  /** The key that has this prefix and counts. @param hash that of the text that was sent: the key is used if it fits */
  find(prefix: string, hash: string): Promise<ApiKeyRecord | null>;
}

interface Row {
  readonly [column: string]: string | number | null;
  readonly seq: number;
  readonly prefix: string;
  readonly hash: string;
  readonly identity: string;
  readonly name: string;
  readonly created: number;
  readonly expires: number | null;
  readonly revoked: number | null;
  readonly used: number | null;
}

/** Keys that are kept, those that have ended among them. */
const MOST = 10_000;
const DAY = 86_400_000;

/** API keys in the coordinator's database. */
export class ApiKeys implements KeyKeeper {
  readonly #storage: SqlStorage;
  readonly #clock: Clock;
  readonly #audit: Audit;
  readonly #onRevoked: (prefix: string) => void;

  /**
   * @param storage that of a coordinator, which has made its tables
   * @param onRevoked called in the transaction that revokes a key
   */
  constructor(storage: SqlStorage, clock: Clock, onRevoked: (prefix: string) => void = () => undefined) {
    this.#onRevoked = onRevoked;
    this.#storage = storage;
    this.#clock = clock;
    this.#audit = new Audit(storage, clock);
  }

  make(key: NewApiKey, operator: Operator): Promise<AdminResult> {
    const { prefix, name, identity, expiresAt } = key;
    const command = {
      kind: "make-key",
      prefix,
      name,
      identity: identity.id,
      roles: identity.roles,
      expiresAt,
    } as const;
    return this.#ordered(command, operator, () => {
      if (this.#row(prefix) !== undefined) throw new EdgeverseError("CONFLICT", `There is a key ${prefix} already`);
      this.#makeRoom();
      this.#storage.query(
        "INSERT INTO api_keys (prefix, hash, identity, name, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
        prefix,
        key.hash,
        JSON.stringify(identity),
        name,
        this.#clock.now(),
        expiresAt,
      );
      return prefix;
    });
  }

  revoke(prefix: string, operator: Operator): Promise<AdminResult> {
    return this.#ordered({ kind: "revoke-key", prefix: prefix.slice(0, 64) }, operator, () => {
      if (this.#row(prefix) === undefined) throw new EdgeverseError("NOT_FOUND", "There is no such API key");
      const now = this.#clock.now();
      const sql = "UPDATE api_keys SET revoked = ? WHERE prefix = ? AND revoked IS NULL RETURNING prefix";
      if (this.#storage.query(sql, now, prefix).length > 0) this.#onRevoked(prefix);
      return prefix;
    });
  }

  async list({ limit, before }: { readonly limit: number; readonly before?: number | undefined }) {
    const last = before ?? Number.MAX_SAFE_INTEGER;
    const rows = this.#storage.query<Row>(
      "SELECT * FROM api_keys WHERE seq < ? ORDER BY seq DESC LIMIT ?",
      last,
      limit,
    );
    return rows.map((row) => this.#view(row));
  }

  async find(prefix: string, hash: string): Promise<ApiKeyRecord | null> {
    const row = this.#row(prefix);
    if (row === undefined || this.#stateOf(row) !== "active") return null;
    const today = this.#clock.now() - (this.#clock.now() % DAY);
    // Only a note: whether the key counts is for whoever asks to see.
    if (row.hash === hash && row.used !== today)
      this.#storage.query("UPDATE api_keys SET used = ? WHERE prefix = ?", today, prefix);
    return { prefix, hash: row.hash, identity: JSON.parse(row.identity) as Identity, expiresAt: row.expires };
  }

  async #ordered(command: KeyCommand, operator: Operator, change: () => string): Promise<AdminResult> {
    let answer: AdminResult;
    try {
      answer = { ok: true, result: this.#view(this.#row(change()) as Row) };
    } catch (error) {
      answer = { ok: false, error: EdgeverseError.from(error).toWire() };
    }
    this.#audit.add(command, operator, answer.ok ? "done" : answer.error.code);
    await this.#storage.barrier();
    return answer;
  }

  /** The key that ended first gives its place to a new one. @throws EdgeverseError `CONFLICT` */
  #makeRoom(): void {
    const [all] = this.#storage.query<{ count: number }>("SELECT count(*) AS count FROM api_keys");
    if ((all?.count ?? 0) < MOST) return;
    const [ended] = this.#storage.query<{ prefix: string }>(
      `SELECT prefix FROM api_keys WHERE revoked IS NOT NULL OR expires <= ?
       ORDER BY min(coalesce(revoked, expires), coalesce(expires, revoked)) LIMIT 1`,
      this.#clock.now(),
    );
    if (ended === undefined) throw new EdgeverseError("CONFLICT", `There are ${MOST} API keys: revoke some first`);
    this.#storage.query("DELETE FROM api_keys WHERE prefix = ?", ended.prefix);
  }

  #row(prefix: string): Row | undefined {
    return this.#storage.query<Row>("SELECT * FROM api_keys WHERE prefix = ?", prefix)[0];
  }

  #stateOf({ revoked, expires }: Row): ApiKeyView["state"] {
    if (revoked !== null) return "revoked";
    return expires !== null && expires <= this.#clock.now() ? "expired" : "active";
  }

  #view(row: Row): ApiKeyView {
    return {
      seq: row.seq,
      prefix: row.prefix,
      name: row.name,
      identity: JSON.parse(row.identity) as Identity,
      state: this.#stateOf(row),
      createdAt: row.created,
      expiresAt: row.expires,
      revokedAt: row.revoked,
      usedOn: row.used,
    };
  }
}
