import { fnv1a32 } from "../../../identity/fnv1a.ts";
import type { Registry } from "../../../object/registry.ts";
import { pause } from "../../../platform/pause.ts";
import { gateNames } from "../../../push/client-id.ts";
import { Gate } from "../../../push/gate.ts";
import type { PushMessage } from "../../../push/message-log.ts";
import type { Gates } from "../../../push/ports.ts";
import type { PresenceMessage, PresenceReceipt } from "../../../push/presence-note.ts";
import { PushRules } from "../../../push/push-rules.ts";
import { LiveOwners } from "../../../router/live-owners.ts";
import type { LiveChange, LiveReceipt } from "../../../router/live-views.ts";
import type { PartitionClient } from "../../../router/ports.ts";
import type { Router } from "../../../router/router.ts";
import type { VersionedDocument } from "../../../settings/document.ts";
import { type Confirmation, LiveSettings } from "../../../settings/live-settings.ts";
import type { Random } from "../random.ts";
import type { Settings } from "../settings.ts";
import type { SimTime } from "../sim-clock.ts";
import type { Machine } from "../sim-machine.ts";
import type { SimNetwork } from "../sim-network.ts";
import type { Service, SimProcess } from "../sim-process.ts";
import { BusyClock } from "./busy-clock.ts";
import { ROOM } from "./room.ts";
import { type ClientEnd, SimConnection, SimWire } from "./sim-connection.ts";

/** A gate as others reach it by message. */
interface GateClient {
  deliver(messages: readonly PushMessage[]): Promise<void>;
  configure(offer: VersionedDocument): Promise<Confirmation>;
  live(from: string, changes: readonly LiveChange[] | null): Promise<LiveReceipt>;
  presence(message: PresenceMessage): Promise<PresenceReceipt>;
}

interface Parts {
  readonly settings: Settings;
  readonly time: SimTime;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly machine: (name: string) => Machine;
  readonly process: (machine: Machine) => SimProcess;
  readonly router: (process: SimProcess) => Router;
  readonly registry: (process: SimProcess) => Registry;
  readonly uuid: () => string;
  readonly trace: (what: string) => void;
  readonly warn: (process: SimProcess, event: string, details: Readonly<Record<string, unknown>>) => void;
  readonly broken: (error: unknown) => void;
}

const RULES = new PushRules({ topics: { "**": { anonymous: true } } });

/** The gates of a simulated cluster, and the connections of their clients. */
export class SimGates {
  readonly names: readonly string[];
  readonly #parts: Parts;
  readonly #connections = new Map<string, Set<SimConnection>>();
  #made = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.names = gateNames(parts.settings.push?.config.gates ?? 0);
  }

  /** Of the gates that have ever begun. */
  get machines(): Machine[] {
    const tables = "SELECT 1 FROM sqlite_master WHERE name = 'farewells'";
    return this.names.map((name) => this.#parts.machine(name)).filter(({ disk }) => disk.query(tables).length > 0);
  }

  /** As a process reaches them; undefined where there are none. */
  of(process: SimProcess): Gates | undefined {
    if (this.names.length === 0) return undefined;
    const client = (gate: string) => this.#parts.network.client<GateClient>(process, gate);
    return {
      names: this.names,
      deliver: (gate, messages) => client(gate).deliver(messages),
      configure: (gate, offer) => client(gate).configure(offer),
      live: (gate, from, changes) => client(gate).live(from, changes),
    };
  }

  /** Begins a process of a gate: it takes up the connections that have outlasted the one before. */
  start(machine: Machine): SimProcess {
    const { network, settings: world, router: routerOf } = this.#parts;
    const process = this.#parts.process(machine);
    const clock = new BusyClock(process.clock);
    const settings = new LiveSettings({ config: world.config, registry: this.#parts.registry(process) });
    const router = routerOf(process);
    const connect = (name: string) => network.client<PartitionClient>(process, name);
    const owners = new LiveOwners({ router, connect, clock });
    const [room = ""] = world.objects;
    const gate = new Gate({
      name: machine.name,
      settings,
      config: settings.config,
      storage: process.storage as NonNullable<SimProcess["storage"]>,
      clock,
      random: { uuid: this.#parts.uuid },
      hash: async (secret) => {
        await pause(clock, 0);
        return String(fnv1a32(secret));
      },
      rules: RULES,
      disconnect: world.authors ? undefined : { type: ROOM, id: room, method: "gone" },
      registry: settings.registry,
      live: {
        owner: (object) => owners.owner(object),
        watch: (...asked) => clock.during(owners.watch(...asked)),
      },
      gates: {
        names: this.names,
        presence: (to, message) => clock.during(network.client<GateClient>(process, to).presence(message)),
      },
      call: (message) => clock.during(router.call(message)),
      calls: { registry: settings.registry, batch: (...batch) => clock.during(router.batch(...batch)) },
      hold: () => undefined,
      identify: async () => null,
      warn: (event, details) => this.#parts.warn(process, event, details),
      onLost: () => (machine.process === process ? machine.crash() : process.end()),
    });
    // Of those that an older process has this one knows nothing: their clients are away.
    for (const connection of this.#connections.get(machine.name) ?? [])
      if (connection.wire !== undefined) connection.endedAt ??= this.#parts.time.now;
    const asleep = this.#of(machine.name, undefined);
    gate.restore(
      asleep.flatMap((connection) => {
        const { note } = connection;
        return note === undefined ? [] : [[new SimWire(connection, process), note] as const];
      }),
    );
    process.service = {
      deliver: (messages: readonly PushMessage[]) => gate.deliver(messages),
      configure: (offer: VersionedDocument) => gate.settings.take(offer),
      live: async (from: string, changes: readonly LiveChange[] | null) => gate.live.changed(from, changes),
      presence: (message: PresenceMessage) => gate.presence.received(message),
      wake: () => gate.wake(),
      gate: () => gate,
      rests: () => clock.rests,
    } as unknown as Service;
    process.unanswered.add(() => {
      for (const connection of this.#of(machine.name, process)) {
        this.#connections.get(machine.name)?.delete(connection);
        connection.breaks();
      }
    });
    return process;
  }

  /** A client opens a connection to a gate. */
  connect(name: string, end: ClientEnd): SimConnection {
    const { time, random, machine, trace, broken } = this.#parts;
    const label = `${name}#${this.#made++}`;
    const wake = () => machine(name).running();
    const chance = random.fork(label);
    const connection = new SimConnection(label, end, { time, random: chance, wake, trace, broken });
    time.after(chance.between(0.1, 20), () => {
      const process = wake();
      if (process === undefined) {
        connection.breaks();
        return;
      }
      process.run(() => {
        if (connection.over || connection.endedAt !== undefined) return;
        const gate = (process.service["gate"] as () => Gate)();
        try {
          gate.checkRoom();
        } catch {
          connection.breaks();
          return;
        }
        trace(`${label} opens`);
        this.#connections.set(name, (this.#connections.get(name) ?? new Set()).add(connection));
        gate.open(new SimWire(connection, process), null);
        process.leave(() => time.after(chance.between(0.1, 5), () => end.opened()));
      });
    });
    return connection;
  }

  /** A gate that has nothing to do loses its memory; its connections stay. */
  hibernate(name: string): void {
    const { time, trace } = this.#parts;
    const machine = this.#parts.machine(name);
    const { process } = machine;
    if (process?.alive !== true || process.frozen || process.unanswered.size > 1) return;
    const connections = this.#of(name, process);
    const rests = (process.service["rests"] as () => boolean)() && connections.every(({ wire }) => wire?.isResting);
    if (!rests || machine.disk.durableAt > time.now) return;
    trace(`${name} hibernates`);
    for (const connection of connections) connection.wire = undefined;
    machine.disk.failNext = false;
    machine.process = undefined;
    process.end();
  }

  /** Connections of a gate that this process has; those that none has, when it sleeps. */
  #of(name: string, process: SimProcess | undefined): SimConnection[] {
    const all = this.#connections.get(name) ?? [];
    return Array.from(all).filter((connection) => !connection.over && connection.wire?.process === process);
  }
}
