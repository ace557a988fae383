import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Audience } from "./audience.ts";
import type { Connection } from "./connection.ts";
import { CLIENT, errorFrame, subscribedFrame, unsubscribedFrame } from "./frames.ts";
import type { MessageLog } from "./message-log.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Presence } from "./presence.ts";
import type { PushRules } from "./push-rules.ts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";
import { checkPattern, checkTopic } from "./topic.ts";

interface Parts {
  readonly rules: PushRules;
  readonly log: MessageLog;
  readonly sessions: SessionTable;
  readonly audience: Audience;
  readonly outgoing: Outgoing;
  readonly presence: Presence;
}

/** What clients listen to. Each topic counts from the moment in which it was asked for. */
export class Subscriptions {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Begins to listen, and says so, or why not. @param takesPart whether the client is to be seen there, and see others */
  add(connection: Connection, topic: string, takesPart?: boolean): void {
    const { rules, log, sessions, audience, outgoing, presence } = this.#parts;
    const { session, wire } = connection;
    try {
      const segments = checkPattern(topic);
      rules.checkListen(session.identity, segments);
      if (takesPart === true) {
        rules.checkPresence(session.identity, checkTopic(topic));
        presence.checkRoom(connection, topic);
      }
      if (!session.topics.has(topic)) {
        if (session.topics.size >= CLIENT.topics)
          throw new EdgeverseError("PAYLOAD_TOO_LARGE", `A client may listen to ${CLIENT.topics} topics`);
        session.topics.set(topic, { segments, since: log.head });
        audience.listen(connection, segments);
        sessions.saveTopics(session);
      }
      outgoing.send(wire, subscribedFrame(topic));
      if (takesPart === true) presence.enter(connection, topic);
      else if (takesPart === false) presence.leave(connection, topic);
    } catch (error) {
      outgoing.send(wire, errorFrame(EdgeverseError.from(error).toWire(), topic));
    }
  }

  remove(connection: Connection, topic: string): void {
    const { sessions, audience, outgoing, presence } = this.#parts;
    const { session, wire } = connection;
    const known = session.topics.get(topic);
    if (known !== undefined) {
      session.topics.delete(topic);
      audience.ignore(connection, known.segments);
      sessions.saveTopics(session);
      presence.leave(connection, topic);
    }
    outgoing.send(wire, unsubscribedFrame(topic));
  }

  /** Takes from a client that is connected what it, as it is now, may not listen to, and tells it. */
  recheck(connection: Connection): void {
    const { rules, sessions, audience, outgoing, presence } = this.#parts;
    const { session, wire } = connection;
    let changed = false;
    for (const [topic, { segments }] of session.topics) {
      try {
        rules.checkListen(session.identity, segments);
        if (presence.has(connection, topic)) rules.checkPresence(session.identity, segments);
      } catch (error) {
        session.topics.delete(topic);
        audience.ignore(connection, segments);
        presence.leave(connection, topic);
        outgoing.send(wire, errorFrame(EdgeverseError.from(error).toWire(), topic));
        changed = true;
      }
    }
    if (changed) sessions.saveTopics(session);
  }

  /** Takes from a session what its client, as it is now, may not listen to. */
  check(session: Session, identity: Identity | null): void {
    for (const [topic, { segments }] of session.topics) {
      try {
        this.#parts.rules.checkListen(identity, segments);
      } catch {
        session.topics.delete(topic);
      }
    }
  }
}
