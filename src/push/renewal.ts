import { credentialOf, expiryOf, type Identity } from "../access/identity.ts";
import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import type { Clock } from "../platform/ports.ts";
import type { Audience } from "./audience.ts";
import type { Connection } from "./connection.ts";
import type { LiveStates } from "./live-states.ts";
import type { MessageLog } from "./message-log.ts";
import type { Outgoing } from "./outgoing.ts";
import type { PushRules } from "./push-rules.ts";
import type { SessionTable } from "./session-table.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** For whom a token speaks. @throws EdgeverseError `UNAUTHENTICATED`, `UNAVAILABLE` */
export type Identify = (token: string) => Promise<Identity | null>;

interface Parts {
  readonly identify: Identify;
  readonly rules: PushRules;
  readonly log: MessageLog;
  readonly sessions: SessionTable;
  readonly audience: Audience;
  readonly subscriptions: Subscriptions;
  readonly live: Pick<LiveStates, "recheck">;
  readonly outgoing: Outgoing;
  readonly clock: Clock;
}

const RENEWED = '{"kind":"renewed"}';

/** What is wrong lies with the host: the connection has its old credentials to their end, and may send the token again. */
function laterFrame({ code, message, retryable, retryAfter }: WireError): string {
  return JSON.stringify({ kind: "renewed", error: { code, message, retryable, retryAfter } });
}

/** Gives a connection a fresh token before its credentials end ([PUSH10]). Roles may be others then; whom it is for may not. */
export class Renewal {
  readonly #parts: Parts;
  readonly #busy = new WeakSet<Connection>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws EdgeverseError whatever is wrong with the token: the connection is to end */
  async renew(connection: Connection, token: string): Promise<void> {
    const { identify, rules, log, sessions, audience, subscriptions, live, outgoing, clock } = this.#parts;
    const { session, wire } = connection;
    if (this.#busy.has(connection)) throw new EdgeverseError("INVALID_ARGUMENT", "Another token is being looked at");
    this.#busy.add(connection);
    const judged = await identify(token).then(
      (identity) => ({ identity }),
      (error: unknown) => ({ error: EdgeverseError.from(error) }),
    );
    this.#busy.delete(connection);
    if (audience.get(session.client) !== connection) return;
    if ("error" in judged) {
      if (!judged.error.retryable) throw judged.error;
      outgoing.send(wire, laterFrame(judged.error.toWire()));
      return;
    }
    const { identity } = judged;
    if (identity === null || identity.id !== session.identity?.id)
      throw new EdgeverseError("UNAUTHENTICATED", "The token is for another than this connection");
    rules.checkConnect(identity);
    session.identity = identity;
    connection.expires = expiryOf(identity);
    connection.credential = credentialOf(identity);
    if (connection.isOver(clock.now())) throw new EdgeverseError("UNAUTHENTICATED", "The token has expired");
    sessions.saveIdentity(session);
    subscriptions.recheck(connection);
    live.recheck([connection]);
    connection.note(log.head);
    outgoing.send(wire, RENEWED);
  }
}
