import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import { retryDelay } from "../reliable/call-state.ts";
import type { Session } from "./session.ts";

/** The method of an object that hears when a client's session has ended. */
export interface DisconnectCall {
  readonly type: string;
  readonly id: string;
  readonly method: string;
}

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  /** Makes a reliable call of an object. */
  readonly call: (message: CallMessage) => Promise<Reply>;
  /** Undefined: nobody hears of it. */
  readonly disconnect: DisconnectCall | undefined;
  readonly warn: (event: string, details: Readonly<Record<string, unknown>>) => void;
  readonly wakeBy: (time: number) => void;
}

/** Calls at a time, and ms that one may take to be accepted. */
const BATCH = 20;
const WITHIN = 10_000;

/**
 * Tells an object of each session that has ended, once ([PUSH3]): a row that is written with the end, and a reliable call under
 * an id of the session, again and again until the object has it.
 */
export class Farewells {
  readonly #parts: Parts;
  #sending = false;
  #failures = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** When the next is due; undefined when all are told. */
  get due(): number | undefined {
    if (this.#parts.storage.query("SELECT 1 AS one FROM farewells LIMIT 1").length === 0) return undefined;
    return this.#parts.clock.now() + Math.max(1_000, retryDelay(this.#failures));
  }

  /** Sessions of whose end nobody has been told yet. */
  get count(): number {
    return this.#parts.storage.query<{ n: number }>("SELECT count(*) AS n FROM farewells")[0]?.n ?? 0;
  }

  /** Inside the transaction that ends the session. */
  add({ client, identity }: Session): void {
    if (this.#parts.disconnect === undefined) return;
    this.#parts.storage.query(
      "INSERT INTO farewells VALUES (?, ?) ON CONFLICT DO NOTHING",
      client,
      identity === null ? null : JSON.stringify(identity),
    );
  }

  /** Tells those that are waiting; the rest later. */
  async send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    const { storage, wakeBy } = this.#parts;
    try {
      for (let more = true; more; ) {
        const sql = "SELECT client, identity FROM farewells ORDER BY client LIMIT ?";
        const rows = storage.query<{ client: string; identity: string | null }>(sql, BATCH);
        if (rows.length > 0) await storage.barrier();
        const told = await Promise.all(rows.map(({ client, identity }) => this.#tell(client, identity)));
        more = rows.length === BATCH && told.every((done) => done);
        this.#failures = told.every((done) => done) ? 0 : this.#failures + 1;
      }
    } finally {
      this.#sending = false;
    }
    const { due } = this;
    if (due !== undefined) wakeBy(due);
  }

  async #tell(client: string, identity: string | null): Promise<boolean> {
    const { storage, clock, call, disconnect, warn } = this.#parts;
    const who = identity === null ? null : (JSON.parse(identity) as Identity);
    const callId = `disconnect.${client}`;
    if (disconnect !== undefined) {
      const reply = await call({
        ...disconnect,
        request: JSON.stringify({ client, identity: who }),
        deadline: clock.now() + WITHIN,
        requestId: callId,
        caller: { kind: "system" },
        reliable: { callId, answer: "accepted" },
      }).catch((): undefined => undefined);
      if (reply === undefined || reply.kind === "moved") return false;
      if (reply.kind === "error") {
        if (EdgeverseError.from(reply.error).retryable) return false;
        // It ended, or can't be taken: to try again is in vain.
        if (reply.replayed !== true)
          warn("an object does not take that a client is gone", { ...disconnect, client, error: reply.error });
      }
    }
    storage.query("DELETE FROM farewells WHERE client = ?", client);
    return true;
  }
}
