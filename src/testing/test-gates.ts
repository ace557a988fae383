import { credentialOf, type Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Registry } from "../object/registry.ts";
import type { Cancel, Clock } from "../platform/ports.ts";
import { gateNames, gateOf } from "../push/client-id.ts";
import { Gate } from "../push/gate.ts";
import type { GateStatus } from "../push/gate-status.ts";
import type { PushMessage } from "../push/message-log.ts";
import type { Gates } from "../push/ports.ts";
import type { PresenceMessage, PresencePeers, PresenceReceipt } from "../push/presence-note.ts";
import { type PushOptions, PushRules } from "../push/push-rules.ts";
import { GATE_CLOSED } from "../push/reception.ts";
import { LiveOwners } from "../router/live-owners.ts";
import type { LiveChange, LiveReceipt } from "../router/live-views.ts";
import type { Connect } from "../router/ports.ts";
import type { Router } from "../router/router.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { Confirmation, LiveSettings } from "../settings/live-settings.ts";
import type { SqliteStorage } from "./sqlite-storage.ts";
import { TestConnection } from "./test-connection.ts";
import { TestProcess } from "./test-process.ts";
import { testUuid } from "./test-uuid.ts";

interface Parts {
  readonly clock: Clock;
  readonly settings: LiveSettings;
  readonly push: PushOptions | undefined;
  readonly connect: Connect;
  readonly cluster: {
    storage(name: string): SqliteStorage;
    /** Takes the calls of objects that gates make. */
    readonly router: Router;
    readonly registry: Registry;
  };
}

export interface ConnectOptions {
  /** Topics and patterns to listen to. */
  readonly topics?: readonly string[];
  /** Who the client is; default: nobody knows. */
  readonly identity?: Identity;
}

interface Running {
  readonly process: TestProcess;
  readonly gate: Gate;
  readonly connections: Set<TestConnection>;
  readonly deliver: (messages: readonly PushMessage[]) => Promise<void>;
  readonly configure: (offer: VersionedDocument) => Promise<Confirmation>;
  readonly live: (from: string, changes: readonly LiveChange[] | null) => Promise<LiveReceipt>;
  readonly presence: (message: PresenceMessage) => Promise<PresenceReceipt>;
}

const ANYTHING: PushOptions = { topics: { "**": { anonymous: true, presence: true } } };

/** The gates of a test cluster: a database and an alarm each, and a process that is started when it is needed. */
export class TestGates implements Gates, PresencePeers {
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

  async revoke(gate: string, credentials: readonly string[]): Promise<void> {
    this.#gate(gate).gate.revoke(credentials);
  }

  live(gate: string, from: string, changes: readonly LiveChange[] | null): Promise<LiveReceipt> {
    return this.#gate(gate).live(from, changes);
  }

  presence(gate: string, message: PresenceMessage): Promise<PresenceReceipt> {
    return this.#gate(gate).presence(message);
  }

  async connect({ topics = [], identity }: ConnectOptions = {}): Promise<TestConnection> {
    this.#rules.checkConnect(identity ?? null);
    const connection = new TestConnection(this.#parts.clock, (made, session) => {
      const running = this.#open(session?.client ?? "");
      running.connections.add(made);
      running.gate.open(made.wire, identity ?? null, undefined, credentialOf(identity ?? null));
      return running.gate;
    });
    await connection.open(topics);
    return connection;
  }

  /** What a gate says of itself. */
  status(name: string): GateStatus {
    return this.#gate(name).gate.stats;
  }

  /** The gate that takes a client: the one that has its session, or the next that takes new ones. */
  #open(client: string): Running {
    const { names } = this;
    const turn = this.#connections++ % names.length;
    const others = [...names.slice(turn), ...names.slice(0, turn)];
    const tried = [...names.filter((name) => name === gateOf(client)), ...others].map((name) => this.#gate(name));
    for (const running of tried) {
      try {
        running.gate.checkRoom(client);
        return running;
      } catch (error) {
        if ((error as EdgeverseError).reason !== GATE_CLOSED) throw error;
      }
    }
    throw new EdgeverseError("UNAVAILABLE", "No gate takes clients now", { reason: GATE_CLOSED });
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
    const { clock, push, cluster, connect } = this.#parts;
    const owners = new LiveOwners({ router: cluster.router, connect, clock });
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
      registry: settings.registry,
      live: {
        owner: (object) => owners.owner(object),
        // What has ended hears nothing.
        watch: async (...asked) => {
          const answers = await owners.watch(...asked);
          return process.clock.ended ? new Promise<never>(() => undefined) : answers;
        },
      },
      gates: {
        names: this.names,
        presence: async (...told) => {
          const receipt = await this.presence(...told);
          return process.clock.ended ? new Promise<never>(() => undefined) : receipt;
        },
      },
      call: (message) => (process.clock.ended ? new Promise(() => undefined) : cluster.router.call(message)),
      calls: {
        registry: cluster.registry,
        batch: (messages, answered, isLeft) =>
          cluster.router.batch(messages, (index, reply) => process.clock.ended || answered(index, reply), isLeft),
        withdraw: (messages) => cluster.router.withdraw(messages),
      },
      hold: () => undefined,
      identify: async () => null,
      warn: () => undefined,
      onLost: () => this.crash(name),
    });
    const { deliver, configure, live, presence } = process.serve({
      deliver: (messages: readonly PushMessage[]) => gate.deliver(messages),
      configure: (offer: VersionedDocument) => gate.settings.take(offer),
      live: async (from: string, changes: readonly LiveChange[] | null) => gate.live.changed(from, changes),
      presence: (message: PresenceMessage) => gate.presence.received(message),
    });
    const running = { process, gate, deliver, configure, live, presence, connections: new Set<TestConnection>() };
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
