import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { GateCounters } from "../observe/gate-counters.ts";
import { Audience } from "./audience.ts";
import { ClientCalls } from "./client-calls.ts";
import { ClientFrames } from "./client-frames.ts";
import { CLOSE } from "./close-codes.ts";
import type { Connection } from "./connection.ts";
import { Connections } from "./connections.ts";
import { Departures } from "./departures.ts";
import { Farewells } from "./farewells.ts";
import { Feed } from "./feed.ts";
import { errorFrame, type Hello, parseFrame, splitMessage } from "./frames.ts";
import { GateAlarm } from "./gate-alarm.ts";
import type { GateOptions } from "./gate-options.ts";
import { migrateGate } from "./gate-schema.ts";
import { GateSettings } from "./gate-settings.ts";
import type { GateStatus } from "./gate-status.ts";
import { LiveStates } from "./live-states.ts";
import { logBounds, MessageLog, type PushMessage } from "./message-log.ts";
import { Outgoing } from "./outgoing.ts";
import { Patrol } from "./patrol.ts";
import type { Wire, WireNote } from "./ports.ts";
import { Presence } from "./presence.ts";
import { Reception, welcomeText } from "./reception.ts";
import { Renewal } from "./renewal.ts";
import type { Session } from "./session.ts";
import { ENDS, SessionTable } from "./session-table.ts";
import { Subscriptions } from "./subscriptions.ts";

/**
 * A gate: holds connections of clients, and gives them what objects send ([PUSH1]). Plain code over its ports. All it must not
 * forget is in its storage: the sessions, and the messages, each once, however many clients it is for.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #name: string;
  readonly settings: GateSettings;
  readonly #log: MessageLog;
  readonly #sessions: SessionTable;
  readonly #audience = new Audience();
  readonly #outgoing: Outgoing;
  readonly #feed: Feed;
  readonly #subscriptions: Subscriptions;
  readonly #reception: Reception;
  readonly #farewells: Farewells;
  readonly #calls: ClientCalls;
  readonly #patrol: Patrol;
  readonly #departures: Departures;
  readonly #counters = new GateCounters();
  readonly #frames: ClientFrames;
  readonly live: LiveStates;
  readonly presence: Presence;
  readonly #connections: Connections;
  readonly #alarm: GateAlarm;

  constructor(options: GateOptions) {
    const { storage, clock, rules, config } = options;
    this.#options = options;
    this.#name = migrateGate(storage, options.name);
    this.settings = new GateSettings(options, this.#name);
    this.#alarm = new GateAlarm(storage, clock);
    const log = new MessageLog(storage, () => clock.now(), logBounds(config));
    this.#log = log;
    this.#sessions = new SessionTable(storage);
    this.#outgoing = new Outgoing(storage, (error) => this.#lost(error));
    const parts = {
      log,
      sessions: this.#sessions,
      outgoing: this.#outgoing,
      audience: this.#audience,
      clock,
      counters: this.#counters,
    };
    this.#connections = new Connections({
      ...parts,
      config,
      wakeBy: (time) => this.#alarm.by(time),
      forgotten: (wire, connection) => this.#forgotten(wire, connection),
    });
    this.#feed = new Feed({
      ...parts,
      tooSlow: ({ wire }) => this.#connections.drop(wire, CLOSE.silent, "others need the room"),
    });
    const own = { ...options, ...parts, gate: this.#name, wakeBy: (time: number | undefined) => this.#alarm.by(time) };
    this.presence = new Presence(own);
    this.#subscriptions = new Subscriptions({ ...parts, rules, presence: this.presence });
    this.#farewells = new Farewells({ ...options, wakeBy: (time) => this.#alarm.by(time) });
    this.#calls = new ClientCalls({
      ...options,
      ...parts,
      tooMuch: ({ wire }) => this.#connections.drop(wire, CLOSE.silent, "no result was read"),
    });
    this.live = new LiveStates({ ...own, source: options.live });
    const silent = [this.#calls, this.live, this.presence];
    this.#patrol = new Patrol(clock.now(), (one) => silent.filter((part) => part.isStalled(one)).length > 0);
    const takers = { ...parts, subscriptions: this.#subscriptions, live: this.live, presence: this.presence };
    this.#frames = new ClientFrames({
      ...takers,
      config,
      feed: this.#feed,
      calls: this.#calls,
      renewal: new Renewal({ ...options, ...takers }),
      wakeBy: (time) => this.#alarm.by(time),
      drop: ({ wire }, code, why) => this.#connections.drop(wire, code, why),
      fail: ({ wire }, error) => this.#fail(wire, error),
      leave: (connection) => this.#leave(connection),
    });
    const state = () => this.settings.state;
    this.#departures = new Departures({
      ...own,
      state,
      leave: (connection) => this.#leave(connection, CLOSE.moved, "another gate has room"),
      stay: (connection) => this.#feed.goOn(connection),
    });
    options.settings?.onChange(() => this.#departures.changed());
    this.#reception = new Reception({
      ...options,
      ...parts,
      state,
      gate: this.#name,
      subscriptions: this.#subscriptions,
      replace: (session) => this.#connections.replace(session),
      away: (session) => this.#connections.away(session),
      late: (wire) => this.#connections.drop(wire, CLOSE.refused, "no hello came"),
      end: (session) => this.#end(session),
    });
  }

  /** Goes on with the connections that have outlasted the process that had them, and without those that have not. */
  restore(wires: readonly (readonly [wire: Wire, note: WireNote])[]): void {
    const acknowledged = new Map<Connection, number>();
    for (const [wire, note] of wires) {
      this.#reception.origins.add(wire);
      if (note.kind === "new") {
        this.#reception.restore(wire, note);
        continue;
      }
      const known = this.#sessions.get(note.client);
      if (known === undefined || this.#audience.get(note.client) !== undefined)
        wire.close(CLOSE.replaced, "the session has ended");
      // What has become of its calls nobody knows any more: it must not wait for them.
      else if (note.calling === true) wire.close(CLOSE.restart, "restart");
      else acknowledged.set(this.#connections.add(wire, known.session, note.expires, note.credential), note.acked);
    }
    const present = Array.from(this.#audience, ({ session }) => session.client);
    this.#sessions.othersAway(present, this.#now + this.#options.config.pushResume);
    this.live.restore(this.#audience);
    this.presence.restore(this.#audience);
    this.#feed.restore(acknowledged);
    this.#rearm();
  }

  get stats(): GateStatus {
    const { count: open, bytes } = this.#calls;
    return {
      state: this.settings.state,
      connected: this.#audience.size,
      sessions: this.#sessions.count,
      subscriptions: Array.from(this.#audience).reduce((sum, { session }) => sum + session.topics.size, 0),
      watched: this.live.size,
      log: this.#log.size,
      calls: { open, bytes },
      farewells: this.#farewells.count,
      counts: this.#counters.values,
    };
  }

  /** Whether another may be opened, from an origin. @param client who says that its session is here @throws EdgeverseError if not */
  checkRoom(client = "", origin?: string): void {
    this.#reception.checkRoom(this.#audience.size, client, origin);
  }

  /**
   * A connection was opened, for an identity that may connect. It is to say hello first.
   *
   * @param expires when the identity's credentials end, ms since the epoch
   * @param credential their name, if they can be revoked
   */
  open(wire: Wire, identity: Identity | null, expires?: number, credential?: string): void {
    this.#reception.open(wire, identity, expires, credential);
    this.#alarm.byNextLook();
  }

  /** Something came from a client. */
  async received(wire: Wire, text: unknown): Promise<void> {
    try {
      for (const value of splitMessage(text)) {
        const frame = parseFrame(value);
        const connection = this.#connections.get(wire);
        if (connection !== undefined) this.#frames.take(connection, frame);
        else if (frame.kind === "hello" && this.#reception.has(wire)) await this.#hello(wire, frame);
        else throw new EdgeverseError("INVALID_ARGUMENT", "The first frame is hello; the next comes after its welcome");
      }
    } catch (error) {
      this.#fail(wire, error);
    }
  }

  /** A connection has ended. */
  closed(wire: Wire): void {
    this.#connections.closed(wire);
  }

  /** Credentials count no more: connections that they have opened end ([ACC5]). */
  revoke(credentials: readonly string[]): void {
    const names = new Set(credentials);
    for (const wire of [...this.#reception.of(names), ...this.#connections.of(names)])
      this.#connections.drop(wire, CLOSE.expired, "the credentials were revoked");
  }

  /** Messages of objects, in order. Once it resolves they are durable here; those that are here already count for nothing. */
  async deliver(messages: readonly PushMessage[]): Promise<void> {
    this.#feed.publish(this.#log.append(messages));
    await this.#options.storage.barrier();
  }

  /** Ends sessions whose time has come, and connections that are dead. */
  async wake(): Promise<void> {
    this.#alarm.rung();
    this.#connections.write();
    this.#reception.look();
    for (const [wire, code, why] of this.#patrol.ending(this.#connections, this.#now))
      this.#connections.drop(wire, code, why);
    this.live.look();
    for (const session of this.#sessions.over(this.#now, ENDS)) this.#end(session);
    this.#departures.next();
    this.presence.wake();
    await this.#farewells.send();
    this.#rearm();
    await this.#options.storage.barrier();
  }

  /** Ends a session, if that can be stored, and its connection. */
  #leave({ wire, session }: Connection, code: number = CLOSE.left, reason = "left"): void {
    this.#end(session);
    this.#connections.forget(wire);
    this.#outgoing.close(wire, code, reason);
  }

  /** What is wrong with a frame ends the connection. */
  #fail(wire: Wire, error: unknown): void {
    const wireError = EdgeverseError.from(error).toWire();
    if (wireError.code === "INTERNAL") this.#options.warn("a frame failed", { gate: this.#name, error });
    this.#outgoing.send(wire, errorFrame(wireError));
    this.#connections.drop(wire, wireError.code === "OVERLOADED" ? CLOSE.busy : CLOSE.refused, wireError.code);
  }

  async #hello(wire: Wire, hello: Hello): Promise<void> {
    const arrival = await this.#reception.hello(wire, hello);
    if (arrival === undefined) return;
    const connection = this.#connections.add(wire, arrival.session, arrival.expires, arrival.credential);
    this.#departures.plan();
    this.#counters.add("connections");
    if (arrival.resumed) this.#counters.add("resumed");
    this.#outgoing.send(wire, welcomeText(arrival, this.#options.config.pushResume));
    connection.behind = arrival.session.position;
    connection.note(this.#log.head);
    this.#feed.goOn(connection);
    for (const topic of hello.topics ?? []) this.#subscriptions.add(connection, topic);
  }

  #end(session: Session): void {
    this.#sessions.remove(session, (ended) => this.#farewells.add(ended));
    this.presence.ended(session.client);
    if (this.#options.disconnect === undefined) return;
    // Should this process end over it, the next one tells it.
    this.#alarm.by(this.#now + 1_000);
    this.#options.clock.soon(() => void this.#farewells.send().catch(() => undefined));
  }

  #forgotten(wire: Wire, connection: Connection | undefined): void {
    this.#reception.forget(wire);
    if (connection === undefined) return;
    this.#feed.forget(connection);
    this.#calls.forget(connection);
    this.live.closed(connection);
    this.presence.closed(connection);
  }

  /** What was written is lost: nobody may hear of it. Clients come back, and go on from what is there. */
  #lost(error: unknown): void {
    this.#options.warn("a gate has lost what it wrote, and closes its connections", { gate: this.#name, error });
    for (const wire of [...this.#connections.wires, ...this.#reception.wires]) wire.close(CLOSE.restart, "restart");
    this.#options.onLost(error);
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  #rearm(): void {
    this.#alarm.by(this.#farewells.due);
    this.#alarm.by(this.#sessions.nextEnd);
    this.#alarm.by(this.presence.due);
    if (this.#connections.size + this.#reception.size > 0) this.#alarm.byNextLook();
    this.#departures.plan();
    for (const [, { expires }] of this.#connections) this.#alarm.by(expires);
  }
}
