import type { GateCounters } from "../observe/gate-counters.ts";
import type { Clock } from "../platform/ports.ts";
import type { Audience } from "./audience.ts";
import { CLOSE } from "./close-codes.ts";
import { Connection } from "./connection.ts";
import type { MessageLog } from "./message-log.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Wire } from "./ports.ts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";

interface Parts {
  readonly config: { readonly pushResume: number };
  readonly clock: Clock;
  readonly log: MessageLog;
  readonly sessions: SessionTable;
  readonly audience: Audience;
  readonly outgoing: Outgoing;
  readonly counters: GateCounters;
  readonly wakeBy: (time: number | undefined) => void;
  /** The connection is no more, whether its client has said hello or not. */
  readonly forgotten: (wire: Wire, connection: Connection | undefined) => void;
}

/** Ms until what the storage did not take is written again. */
const TRY_AGAIN = 1_000;

/** Connections of clients that have their sessions: how they begin and end. */
export class Connections {
  readonly #parts: Parts;
  readonly #all = new Map<Wire, Connection>();
  /** Sessions whose clients have gone, by client, while that is not stored. */
  readonly #unwritten = new Map<string, { readonly session: Session; readonly ends: number }>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#all.size;
  }

  get wires(): IterableIterator<Wire> {
    return this.#all.keys();
  }

  [Symbol.iterator](): IterableIterator<[Wire, Connection]> {
    return this.#all.entries();
  }

  get(wire: Wire): Connection | undefined {
    return this.#all.get(wire);
  }

  add(wire: Wire, session: Session, expires: number | undefined, credential: string | undefined): Connection {
    const connection = new Connection(wire, session, expires, credential);
    this.#parts.wakeBy(expires);
    this.#all.set(wire, connection);
    this.#parts.audience.add(connection);
    return connection;
  }

  /** It has ended; its session waits for its client. */
  closed(wire: Wire): void {
    const connection = this.forget(wire);
    if (connection === undefined) return;
    connection.session.position = connection.goesOnAfter(this.#parts.log.head);
    this.away(connection.session);
  }

  /** A client has no connection any more: its session waits for it. */
  away(session: Session): void {
    const { config, clock, wakeBy } = this.#parts;
    const ends = clock.now() + config.pushResume;
    this.#unwritten.set(session.client, { session, ends });
    wakeBy(ends);
    this.write();
  }

  /** Writes which clients have gone. What the storage does not take is tried again when the gate is woken. */
  write(): void {
    const { audience, clock, sessions, wakeBy } = this.#parts;
    for (const [client, { session, ends }] of this.#unwritten) {
      try {
        if (audience.get(client) === undefined) sessions.away(session, ends);
        this.#unwritten.delete(client);
      } catch {
        wakeBy(clock.now() + TRY_AGAIN);
        return;
      }
    }
  }

  /** Ends it; its session waits for its client. */
  drop(wire: Wire, code: number, reason: string): void {
    this.closed(wire);
    if (code === CLOSE.silent) this.#parts.counters.add("silent");
    this.#parts.outgoing.close(wire, code, reason);
  }

  /** Those that these credentials have opened. */
  of(credentials: ReadonlySet<string>): Wire[] {
    const isOne = (credential: string | undefined) => credential !== undefined && credentials.has(credential);
    return Array.from(this.#all).flatMap(([wire, { credential }]) => (isOne(credential) ? [wire] : []));
  }

  /** The client has come by another connection. The end of this one is no end of its session, whenever it is told. */
  replace(session: Session): void {
    const { log, audience, outgoing } = this.#parts;
    const old = audience.get(session.client);
    if (old === undefined) return;
    session.position = old.goesOnAfter(log.head);
    this.forget(old.wire);
    outgoing.close(old.wire, CLOSE.replaced, "the session has another connection");
  }

  /** What becomes of its session is the caller's to say. */
  forget(wire: Wire): Connection | undefined {
    const connection = this.#all.get(wire);
    if (connection !== undefined) {
      this.#all.delete(wire);
      this.#parts.audience.remove(connection);
    }
    this.#parts.forgotten(wire, connection);
    return connection;
  }
}
