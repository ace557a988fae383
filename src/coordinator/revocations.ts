import type { Clock, SqlStorage } from "../platform/ports.ts";
import { within } from "../platform/within.ts";

/** Ms for which routers may go by what they knew of a key: what they let in until then is looked for once more. */
const AGAIN = 35_000;
/** Ms that a gate may take to answer, and to the next try; after a while of silence tries are rarer. */
const ANSWER_WITHIN = 2_000;
const RETRY = 2_000;
const SILENT = { after: 600_000, retry: 60_000 };
/** Credentials that a gate is told of at once. */
const MOST = 500;

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly gates: Revoker | undefined;
  /** Nobody is asked any more for now. */
  readonly onPause: () => void;
}

/** The gates, as they are told of credentials that count no more. */
export interface Revoker {
  readonly names: readonly string[];
  /** Ends the connections at a gate that these credentials have opened. */
  revoke(gate: string, credentials: readonly string[]): Promise<void>;
}

/**
 * Tells gates of API keys that were revoked, so that open connections end with them ([ACC5]): at once, and once more when no
 * router goes by what it knew any more. What a gate has yet to hear is stored with the revocation; while each has heard all,
 * there is nothing to do.
 */
export class Revocations {
  readonly #parts: Parts;
  readonly #asked = new Set<string>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** In the transaction that revokes a key. */
  add(credential: string): void {
    const { storage, clock, gates } = this.#parts;
    const now = clock.now();
    for (const gate of gates?.names ?? [])
      storage.query("INSERT INTO revocations VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", gate, credential, now, now);
  }

  /** When somebody is to be told, ms since the epoch; undefined: nobody is. */
  get due(): number | undefined {
    const { storage, clock } = this.#parts;
    const rows = storage.query<{ gate: string; due: number }>(
      "SELECT gate, min(due) AS due FROM revocations GROUP BY gate",
    );
    // Should this process end while they are asked, the next one asks again.
    const times = rows.map(({ gate, due }) => (this.#asked.has(gate) ? clock.now() + ANSWER_WITHIN : due));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Tells those whose time has come. */
  go(): void {
    const { storage, clock } = this.#parts;
    const sql = "SELECT DISTINCT gate FROM revocations WHERE due <= ?";
    // Whoever can't note what was told tells it again.
    for (const { gate } of storage.query<{ gate: string }>(sql, clock.now()))
      void this.#tell(gate).catch(() => this.#asked.delete(gate));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #tell(gate: string): Promise<void> {
    const { storage, clock, gates, onPause } = this.#parts;
    if (this.#asked.has(gate)) return;
    const begun = clock.now();
    const rows = storage.query<{ credential: string; since: number }>(
      "SELECT credential, since FROM revocations WHERE gate = ? AND due <= ? ORDER BY due LIMIT ?",
      gate,
      begun,
      MOST,
    );
    this.#asked.add(gate);
    const told = await this.#ask(
      gate,
      rows.map(({ credential }) => credential),
    );
    this.#asked.delete(gate);
    if (this.#stopped) return;
    const isGone = gates?.names.includes(gate) !== true;
    for (const { credential, since } of rows) {
      const isLast = begun >= since + AGAIN;
      const key = [gate, credential] as const;
      if (isGone || (told && isLast)) {
        storage.query("DELETE FROM revocations WHERE gate = ? AND credential = ?", ...key);
        continue;
      }
      const retry = clock.now() + (begun - since < SILENT.after ? RETRY : SILENT.retry);
      const due = told ? since + AGAIN : retry;
      storage.query("UPDATE revocations SET due = ? WHERE gate = ? AND credential = ?", due, ...key);
    }
    onPause();
  }

  async #ask(gate: string, credentials: readonly string[]): Promise<boolean> {
    const { clock, gates } = this.#parts;
    if (gates?.names.includes(gate) !== true) return false;
    const late = () => new Error("it did not answer in time");
    try {
      await within(clock, ANSWER_WITHIN, gates.revoke(gate, credentials), late);
      return true;
    } catch {
      return false;
    }
  }
}
