import type { Config } from "../../config/config.ts";
import { Coordinator } from "../../coordinator/coordinator.ts";
import type { Bootstrapped } from "../../coordinator/coordinator-options.ts";
import type { ObjectClass } from "../../object/object-class.ts";
import { Registry } from "../../object/registry.ts";
import { partitionClient } from "../../partition/client.ts";
import { Partition } from "../../partition/partition.ts";
import type { Genesis, MapDocument } from "../../placement/shard-map.ts";
import { within } from "../../platform/within.ts";
import { isGateName } from "../../push/client-id.ts";
import { type Maintenance, maintenanceOf } from "../../reliable/maintenance.ts";
import type { CallLog } from "../../reliable/ports.ts";
import { LearnedMap } from "../../router/map-cache.ts";
import type { PartitionClient } from "../../router/ports.ts";
import { Router } from "../../router/router.ts";
import { LiveSettings } from "../../settings/live-settings.ts";
import { SettingsFollower } from "../../settings/settings-follower.ts";
import { MemoryCallLog } from "../memory-call-log.ts";
import { overConnections, SqliteError } from "../platform-limits.ts";
import { testUuid } from "../test-uuid.ts";
import { sleepOf, turnScope } from "./in-process.ts";
import { ledgerOf, type Sleep } from "./ledger.ts";
import { roomOf } from "./push/room.ts";
import { SimGates } from "./push/sim-gates.ts";
import type { Random } from "./random.ts";
import type { Settings } from "./settings.ts";
import { BEGINNING, SimTime } from "./sim-clock.ts";
import { logService } from "./sim-log.ts";
import { Machine } from "./sim-machine.ts";
import { SimNetwork } from "./sim-network.ts";
import { type Service, SimProcess } from "./sim-process.ts";
import { SINKS, SimSinks } from "./sim-sinks.ts";
import { SimDisk } from "./sim-storage.ts";

/** The coordinator as others reach it by message. */
export type CoordinatorClient = {
  bootstrap(proposal: Genesis): Promise<Bootstrapped>;
  map(): Promise<MapDocument | undefined>;
} & Pick<Coordinator, "report" | "execute" | "moves" | "view" | "settings" | "newerSettings">;

/** A process that calls objects: an isolate at the edge. */
export interface Edge {
  readonly process: SimProcess;
  readonly router: Router;
  readonly registry: Registry;
  readonly config: Config;
  readonly settings: LiveSettings;
  readonly follower: SettingsFollower;
}

const MAP_WITHIN = 500;
const COORDINATOR = "coordinator";
const LOG = "log";
/** Machines that are no partitions; neither are gates. */
const BESIDE: ReadonlySet<string> = new Set([COORDINATOR, LOG, SINKS]);

/** A cluster of real partitions, a real coordinator and real routers on simulated machines, all driven by one queue. */
export class World {
  readonly time = new SimTime();
  readonly settings: Settings;
  readonly network: SimNetwork;
  readonly log: MemoryCallLog;
  readonly sinks: SimSinks;
  readonly gates: SimGates;
  readonly machines = new Map<string, Machine>();
  readonly genesis: Genesis;
  /** Errors of the code under test that it must not make. */
  readonly faults: unknown[] = [];
  logDelay = 2;
  /** Whether newer code is out: processes that start from now on have it. */
  deployed = false;
  /** Whether an operator has ended a move without its target, which then keeps a copy that it does not serve. */
  forced = false;
  readonly #random: Random;
  readonly #trace: (what: string) => void;
  readonly #objects: readonly ObjectClass[];
  #uuids = 0;

  /** @param objects classes beside the simulation's own */
  constructor(settings: Settings, random: Random, trace: (what: string) => void, objects: readonly ObjectClass[] = []) {
    this.settings = settings;
    this.#objects = objects;
    this.#random = random;
    this.#trace = (what) => trace(`${this.time.now.toFixed(3)} ${what}`);
    const members = Array.from({ length: settings.partitions }, (_, index) => ({ name: `p${index}`, weight: 1 }));
    this.genesis = { shards: settings.config.shards, members };
    this.log = new MemoryCallLog({ now: () => BEGINNING + Math.floor(this.time.now) });
    this.sinks = new SimSinks(random.fork("sinks"));
    this.network = new SimNetwork({
      time: this.time,
      random: random.fork("network"),
      machine: (name) => this.machine(name),
      trace: this.#trace,
      end: (name, replaced) => {
        const machine = this.machines.get(name);
        if (replaced) machine?.usurp();
        else machine?.crash();
      },
    });
    this.network.weather = settings.weather;
    this.gates = new SimGates({
      settings,
      time: this.time,
      network: this.network,
      random: random.fork("gates"),
      machine: (name) => this.machine(name),
      process: (machine) => this.#process(machine.name, machine),
      router: (process) => this.#router(process, this.#registry(sleepOf(process), 0)),
      registry: (process) => this.#registry(sleepOf(process), 0),
      uuid: () => testUuid(this.#uuids++),
      trace: this.#trace,
      broken: (error) => this.faults.push(error),
      warn: (process, event, details) => this.#warn(process, event, details),
    });
  }

  trace(what: string): void {
    this.#trace(what);
  }

  get partitions(): Machine[] {
    return [...this.machines.values()].filter(({ name }) => !BESIDE.has(name) && !isGateName(name));
  }

  get coordinator(): Machine {
    return this.machine(COORDINATOR);
  }

  machine(name: string): Machine {
    const known = this.machines.get(name);
    if (known !== undefined) return known;
    const disk = new SimDisk(this.time, this.#random.fork(`disk ${name}`));
    disk.slowness = this.settings.slowness;
    disk.onError = (error) => this.faults.push(error);
    const made = new Machine(name, this.time, this.#random, disk, {
      start: (machine) => {
        this.trace(`start ${name}`);
        if (name === COORDINATOR) return this.#coordinator(machine);
        if (name === SINKS) return this.#sinks();
        if (isGateName(name)) return this.gates.start(machine);
        return name === LOG ? this.#log() : this.#partition(machine);
      },
      wake: async (process) => (process.service["wake"] as () => Promise<unknown>)(),
    });
    this.machines.set(name, made);
    return made;
  }

  edge(name: string): Edge {
    const process = this.#process(name);
    const settings = new LiveSettings({
      config: this.settings.config,
      registry: this.#registry(async () => undefined, 0),
    });
    const { config, registry } = settings;
    const follower = new SettingsFollower({
      clock: process.clock,
      seen: () => settings.seen,
      ask: (known) => this.network.client<CoordinatorClient>(process, COORDINATOR).newerSettings(known),
      take: (offer) => settings.apply(offer),
    });
    return { process, registry, router: this.#router(process, registry, follower), config, settings, follower };
  }

  /** The upkeep that cron does, from its own process. */
  maintenance(edge: Edge): Maintenance {
    const { process, router, registry } = edge;
    const connect = (name: string) => this.network.client<PartitionClient>(process, name);
    const log = this.#logOf(process);
    return maintenanceOf({ log, router, connect, config: this.settings.config, registry, clock: process.clock });
  }

  close(): void {
    for (const machine of this.machines.values()) {
      machine.process?.end();
      machine.bury();
      machine.disk.close();
    }
  }

  #process(name: string, machine?: Machine): SimProcess {
    const { skew, durability, slowness } = this.settings;
    const random = this.#random.fork(`skew ${name}`);
    const options = machine === undefined ? {} : { disk: machine.disk, durability };
    const lateness = () => (random.chance(slowness) ? random.between(0, 60) : 0);
    return new SimProcess(name, this.time, { skew: random.between(0, skew), lateness, ...options });
  }

  #partition(machine: Machine): SimProcess {
    const { settings, network, genesis } = this;
    const process = this.#process(machine.name, machine);
    const { clock } = process;
    const registry = this.#registry(sleepOf(process), settings.hooks);
    const router = this.#router(process, registry);
    const coordinator = network.client<CoordinatorClient>(process, COORDINATOR);
    const connect = (name: string) => network.client<PartitionClient>(process, name);
    const log = settings.withLog ? this.#logOf(process) : undefined;
    const maintenance = maintenanceOf({ log, router, connect, config: settings.config, registry, clock });
    const live = new LiveSettings({ config: settings.config, registry });
    const partition = new Partition({
      settings: live,
      registry: live.registry,
      config: live.config,
      storage: process.storage as NonNullable<SimProcess["storage"]>,
      clock,
      random: { uuid: () => testUuid(this.#uuids++) },
      scope: turnScope(),
      peers: router,
      bootstrapper: {
        bootstrap: (proposal) => coordinator.bootstrap(proposal),
        settings: (known) => coordinator.newerSettings(known),
      },
      connect,
      loads: { report: (report) => coordinator.report(report) },
      log,
      gates: this.gates.of(process),
      reconcile: () => maintenance.reconcile(),
      observer: {
        methodThrew: (_key, _request, thrown) => this.#fault(process, thrown),
        warn: (event, details) => this.#warn(process, event, details),
      },
      events: this.sinks.routes(process, network, ["ledger.added"]),
      proposal: genesis,
      name: machine.name,
    });
    process.service = { ...partitionClient(partition), partition: () => partition } as unknown as Service;
    return process;
  }

  #coordinator(machine: Machine): SimProcess {
    const { settings, network } = this;
    const process = this.#process(COORDINATOR, machine);
    const coordinator = new Coordinator({
      storage: process.storage as NonNullable<SimProcess["storage"]>,
      clock: process.clock,
      connect: (name) => network.client<PartitionClient>(process, name),
      settings: new LiveSettings({ config: settings.config }),
      warn: (event, details) => this.#warn(process, event, details),
    });
    process.service = {
      bootstrap: async (proposal: Genesis) => coordinator.bootstrap(proposal),
      map: async () => coordinator.map(),
      report: (report: Parameters<Coordinator["report"]>[0]) => coordinator.report(report),
      execute: (...args: Parameters<Coordinator["execute"]>) => coordinator.execute(...args),
      moves: (query: Parameters<Coordinator["moves"]>[0]) => coordinator.moves(query),
      view: () => coordinator.view(),
      settings: () => coordinator.settings(),
      newerSettings: (known: number) => coordinator.newerSettings(known),
      wake: () => coordinator.wake(),
    };
    return process;
  }

  #log(): SimProcess {
    const process = this.#process(LOG);
    process.service = logService(this.log, process, () => this.logDelay);
    return process;
  }

  #sinks(): SimProcess {
    const process = this.#process(SINKS);
    process.service = this.sinks.service;
    return process;
  }

  /** Postgres, as a process reaches it. */
  #logOf(process: SimProcess): CallLog {
    return overConnections(this.network.client<CallLog>(process, LOG));
  }

  #registry(sleep: Sleep, hooks: number): Registry {
    const { push } = this.settings;
    const rooms = push === undefined || push.listeners.length === 0 ? [] : [roomOf(sleep)];
    return new Registry([ledgerOf(sleep, hooks, this.deployed), ...rooms, ...this.#objects]);
  }

  #router(process: SimProcess, registry: Registry, settings?: SettingsFollower): Router {
    const { network, genesis } = this;
    const { clock } = process;
    const coordinator = network.client<CoordinatorClient>(process, COORDINATOR);
    const late = () => new Error("simulated: the coordinator did not answer in time");
    return new Router({
      registry,
      connect: (name) => network.client<PartitionClient>(process, name),
      cache: new LearnedMap(genesis, () => within(clock, MAP_WITHIN, coordinator.map(), late)),
      clock,
      settings,
    });
  }

  #warn(process: SimProcess, event: string, details: Readonly<Record<string, unknown>>): void {
    this.trace(`${process.name} warns: ${event} ${details["error"] ?? JSON.stringify(details)}`);
  }

  #fault(process: SimProcess, thrown: unknown): void {
    if (!process.alive || process.zombie || thrown instanceof SqliteError) return;
    this.trace(`${process.name} method threw ${thrown}`);
    this.faults.push(thrown);
  }
}
