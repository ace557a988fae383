import type { Identity } from "../access/identity.ts";
import type { Registry } from "../object/registry.ts";
import { pause } from "../platform/pause.ts";
import type { Cancel, Clock } from "../platform/ports.ts";
import { gateNames, gateOf } from "../push/client-id.ts";
import { Gate } from "../push/gate.ts";
import type { PushMessage } from "../push/message-log.ts";
import type { Gates, Wire } from "../push/ports.ts";
import { type PushOptions, PushRules } from "../push/push-rules.ts";
import type { Router } from "../router/router.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { Confirmation, LiveSettings } from "../settings/live-settings.ts";
import { ManualClock } from "./clocks.ts";
import type { SqliteStorage } from "./sqlite-storage.ts";
import { TestProcess } from "./test-process.ts";
import { testUuid } from "./test-uuid.ts";

interface Parts {
  readonly clock: Clock;
  readonly settings: LiveSettings;
  readonly push: PushOptions | undefined;
  readonly cluster: {
    storage(name: string): SqliteStorage;
    /** Takes the calls of objects that gates make. */
    readonly router: Pick<Router, "call" | "batch">;
    readonly registry: Registry;
  };
}

export interface ConnectOptions {
  /** Topics and patterns to listen to. */
  readonly topics?: readonly string[];
  /** Who the client is; default: nobody knows. */
  readonly identity?: Identity;
}

/** What a client gets: a message, for a topic or for itself, or that some may be missing. */
export interface ClientMessage {
  readonly kind: "message" | "gap";
  readonly n: number;
  readonly topic?: string;
  readonly data?: unknown;
}

type Frame = { readonly kind: string } & Readonly<Record<string, unknown>>;

interface Running {
  readonly process: TestProcess;
  readonly gate: Gate;
  readonly connections: Set<TestConnection>;
  readonly deliver: (messages: readonly PushMessage[]) => Promise<void>;
  readonly configure: (offer: VersionedDocument) => Promise<Confirmation>;
}

const ANYTHING: PushOptions = { topics: { "**": { anonymous: true } } };
/** Ms between two looks for a message, and after which there is none. */
const LOOK = 1;
const WITHIN = 1_000;

/** The gates of a test cluster: a database and an alarm each, and a process that is started when it is needed. */
export class TestGates implements Gates {
  readonly names: readonly string[];
  readonly #parts: Parts;
  readonly #rules: PushRules;
  readonly #running = new Map<string, Running>();
  readonly #alarms = new Map<string, Cancel>();
  #uuids = 0;
  #connections = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.names = gateNames(parts.settings.config.gates);
    this.#rules = new PushRules(parts.push ?? ANYTHING);
  }

  deliver(gate: string, messages: readonly PushMessage[]): Promise<void> {
    return this.#gate(gate).deliver(messages);
  }

  readonly configure: Gates["configure"] = (gate, offer) => this.#gate(gate).configure(offer);

  async connect({ topics = [], identity }: ConnectOptions = {}): Promise<TestConnection> {
    const name = this.names[this.#connections++ % this.names.length] as string;
    this.#rules.checkConnect(identity ?? null);
    const connection = new TestConnection(this.#parts.clock, (made, session) => {
      const running = this.#gate(session === undefined ? name : (gateOf(session.client) as string));
      running.connections.add(made);
      running.gate.checkRoom();
      running.gate.open(made.wire, identity ?? null);
      return running.gate;
    });
    await connection.open(topics);
    return connection;
  }

  /** Ends a gate's process, and its connections with it: at once, or after so many commits. False when it is no gate. */
  crash(name: string, after?: number): boolean {
    if (!this.names.includes(name)) return false;
    const running = after === undefined ? this.#running.get(name) : this.#gate(name);
    const end = () => {
      if (this.#running.get(name) === running) this.#running.delete(name);
      running?.process.end();
      for (const connection of running?.connections ?? []) connection.lost();
    };
    if (after === undefined) end();
    else running?.process.afterCommits(after, end);
    return true;
  }

  stop(): void {
    for (const { process } of this.#running.values()) process.end();
    for (const cancel of this.#alarms.values()) cancel();
  }

  #gate(name: string): Running {
    const known = this.#running.get(name);
    if (known !== undefined) return known;
    const { clock, push, cluster } = this.#parts;
    const process = new TestProcess(clock, cluster.storage(name), (time) => this.#setAlarm(name, time));
    const settings = this.#parts.settings.fork();
    const gate = new Gate({
      name,
      settings,
      config: settings.config,
      storage: process.storage,
      clock: process.clock,
      random: { uuid: () => testUuid(this.#uuids++) },
      rules: this.#rules,
      disconnect: push?.onDisconnect,
      call: (message) => (process.clock.ended ? new Promise(() => undefined) : cluster.router.call(message)),
      calls: {
        registry: cluster.registry,
        batch: (messages, answered) =>
          cluster.router.batch(messages, (index, reply) => process.clock.ended || answered(index, reply)),
      },
      hold: () => undefined,
      identify: async () => null,
      warn: () => undefined,
      onLost: () => this.crash(name),
    });
    const { deliver, configure } = process.serve({
      deliver: (messages: readonly PushMessage[]) => gate.deliver(messages),
      configure: (offer: VersionedDocument) => gate.settings.take(offer),
    });
    const running = { process, gate, deliver, configure, connections: new Set<TestConnection>() };
    this.#running.set(name, running);
    gate.restore([]);
    return running;
  }

  #setAlarm(name: string, time: number | null): void {
    this.#alarms.get(name)?.();
    if (time === null) return;
    const { clock } = this.#parts;
    this.#alarms.set(
      name,
      clock.after(time - clock.now(), () => void this.#gate(name).gate.wake()),
    );
  }
}

/** A client that is connected. It acknowledges each message when the test takes it. */
export class TestConnection {
  /** @internal */
  readonly wire: Wire = {
    heardAt: undefined,
    send: (text) => this.#received(text),
    close: () => this.lost(),
    note() {},
  };
  /** Why each topic was refused that was. */
  readonly refused = new Map<string, string>();
  /** Its id: what `this.push` takes. */
  client = "";
  /** Whether the last connection went on with the session. */
  resumed = false;
  readonly #clock: Clock;
  readonly #enter: (made: TestConnection, session: { readonly client: string } | undefined) => Gate;
  readonly #waiting: ClientMessage[] = [];
  #gate: Gate | undefined;
  #session: string | undefined;
  #seen = 0;

  /** @internal */
  constructor(clock: Clock, enter: (made: TestConnection, session: { readonly client: string } | undefined) => Gate) {
    this.#clock = clock;
    this.#enter = enter;
  }

  /** Whether it is connected. */
  get isOpen(): boolean {
    return this.#gate !== undefined;
  }

  /** Messages that have come and were not taken. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The next message. @throws Error when none comes within a second */
  async next(): Promise<ClientMessage> {
    const message = await this.#look(() => this.#waiting.shift());
    if (message === undefined) throw new Error("no message came");
    this.#say({ kind: "ack", seen: message.n });
    return message;
  }

  subscribe(topic: string): void {
    this.#say({ kind: "subscribe", topic });
  }

  unsubscribe(topic: string): void {
    this.#say({ kind: "unsubscribe", topic });
  }

  /** Ends the session. */
  leave(): void {
    this.#say({ kind: "leave" });
  }

  /** Breaks the connection, as when a client loses its network. */
  cut(): void {
    const gate = this.#gate;
    this.lost();
    gate?.closed(this.wire);
  }

  /** Connects again, and goes on with the session. */
  async resume(): Promise<void> {
    await this.open([]);
  }

  /** @internal */
  async open(topics: readonly string[]): Promise<void> {
    const known = this.#session === undefined ? undefined : { client: this.client };
    this.client = "";
    this.#gate = this.#enter(this, known);
    this.#say({ kind: "hello", seen: this.#seen, topics, ...(known === undefined ? {} : { session: this.#session }) });
    await this.#look(() => this.client || undefined);
  }

  /** @internal */
  lost(): void {
    this.#gate = undefined;
  }

  #received(text: string): void {
    if (this.#gate === undefined) return;
    const frames = JSON.parse(text) as Frame | Frame[];
    for (const frame of Array.isArray(frames) ? frames : [frames]) this.#take(frame);
  }

  #take(frame: Frame): void {
    if (frame.kind === "welcome") {
      this.client = frame["client"] as string;
      this.#session = frame["session"] as string;
      this.resumed = frame["resumed"] as boolean;
      this.#seen = frame["seen"] as number;
    } else if (frame.kind === "error") {
      this.refused.set(String(frame["topic"]), (frame["error"] as { code: string }).code);
    } else if (frame.kind === "message" || frame.kind === "gap") {
      const message = frame as unknown as ClientMessage;
      // What was not acknowledged may come again.
      if (message.n <= this.#seen) return;
      this.#seen = message.n;
      this.#waiting.push(message);
    }
  }

  #say(frame: object): void {
    if (this.#gate === undefined) throw new Error("this client is not connected");
    void this.#gate.received(this.wire, JSON.stringify(frame));
  }

  async #look<T>(found: () => T | undefined): Promise<T | undefined> {
    const look = async () => {
      for (let waited = 0; waited <= WITHIN; waited += LOOK) {
        const value = found();
        if (value !== undefined) return value;
        await pause(this.#clock, LOOK);
      }
      return undefined;
    };
    return this.#clock instanceof ManualClock ? this.#clock.until(look()) : look();
  }
}
