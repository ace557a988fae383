import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock } from "../platform/ports.ts";
import { tooManyFrames } from "./allowance.ts";
import type { ClientCalls } from "./client-calls.ts";
import { CLOSE } from "./close-codes.ts";
import type { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import type { ClientFrame } from "./frames.ts";
import type { LiveStates } from "./live-states.ts";
import type { MessageLog } from "./message-log.ts";
import { EXPIRED } from "./patrol.ts";
import type { Presence } from "./presence.ts";
import type { Renewal } from "./renewal.ts";
import type { Subscriptions } from "./subscriptions.ts";

interface Parts {
  readonly config: { readonly clientFrames: number };
  readonly clock: Clock;
  readonly log: MessageLog;
  readonly feed: Feed;
  readonly subscriptions: Subscriptions;
  readonly calls: ClientCalls;
  readonly live: LiveStates;
  readonly presence: Presence;
  readonly renewal: Renewal;
  readonly wakeBy: (time: number | undefined) => void;
  /** Ends a connection; its session goes on. */
  readonly drop: (connection: Connection, code: number, reason: string) => void;
  readonly fail: (connection: Connection, error: unknown) => void;
  /** Ends the session too. */
  readonly leave: (connection: Connection) => void;
}

/** What becomes of the frames that a client sends once it has its session. */
export class ClientFrames {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws EdgeverseError what ends the connection */
  take(connection: Connection, frame: ClientFrame): void {
    const { config, clock, calls, drop } = this.#parts;
    const now = clock.now();
    const verdict = connection.admit(frame, config.clientFrames, now);
    if (connection.isOver(now)) drop(connection, CLOSE.expired, EXPIRED);
    else if (verdict === "take") this.#do(connection, frame);
    else if (verdict === "refuse" && frame.kind === "call") calls.refuse(connection, frame.id, tooManyFrames());
    else throw tooManyFrames();
  }

  #do(connection: Connection, frame: ClientFrame): void {
    const { log, feed, subscriptions, calls, live, presence, renewal, wakeBy, fail, leave } = this.#parts;
    switch (frame.kind) {
      case "hello":
        throw new EdgeverseError("INVALID_ARGUMENT", "Hello was said already");
      case "ack":
        feed.acknowledge(connection, Math.min(frame.seen, log.head));
        break;
      case "subscribe":
        subscriptions.add(connection, frame.topic, frame.presence);
        break;
      case "unsubscribe":
        subscriptions.remove(connection, frame.topic);
        break;
      case "call":
        calls.take(connection, frame);
        break;
      case "watch":
        live.watch(connection, frame);
        break;
      case "cancel":
        if (!live.cancel(connection, frame.id)) calls.cancel(connection, frame.id);
        break;
      case "check":
        calls.checked(connection, frame.n);
        live.read(connection, frame.n);
        presence.read(connection, frame.n);
        break;
      case "token":
        renewal.renew(connection, frame.token).then(
          () => wakeBy(connection.expires),
          (error) => fail(connection, error),
        );
        break;
      case "leave":
        leave(connection);
    }
  }
}
