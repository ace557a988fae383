import { AsyncLocalStorage } from "node:async_hooks";
import { Coordinator } from "../coordinator/coordinator.ts";
import type { Revoker } from "../coordinator/revocations.ts";
import type { Limits } from "../limits/limits-schema.ts";
import type { PublicEvent } from "../object/event.ts";
import { partitionClient } from "../partition/client.ts";
import type { EventRoutes, EventSink } from "../partition/events/ports.ts";
import { Partition } from "../partition/partition.ts";
import type { Observer, Peers } from "../partition/turns/ports.ts";
import type { Turn } from "../partition/turns/turn.ts";
import type { Genesis } from "../placement/shard-map.ts";
import type { Cancel, Clock } from "../platform/ports.ts";
import type { Gates } from "../push/ports.ts";
import type { ReconcileReport } from "../reliable/maintenance-report.ts";
import type { CallLog } from "../reliable/ports.ts";
import type { PartitionClient } from "../router/ports.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { overConnections } from "./platform-limits.ts";
import { SqliteStorage } from "./sqlite-storage.ts";
import { TestProcess } from "./test-process.ts";
import { testUuid } from "./test-uuid.ts";

export interface MachineParts {
  readonly clock: Clock;
  /** Of whoever calls: each process has its own. */
  readonly settings: LiveSettings;
  readonly genesis: Genesis;
  readonly log: CallLog | undefined;
  readonly gates: Gates & Revoker;
  readonly limits: Limits | undefined;
  /** What objects reach as `this.env`. */
  readonly env: unknown;
  readonly storageOf: ((name: string) => SqliteStorage) | undefined;
  readonly observer: Observer;
  readonly events: EventRoutes;
  /** Routes what objects call in other partitions. */
  readonly router: () => Peers;
  readonly reconcile: () => Promise<ReconcileReport>;
}

interface Running<Program> {
  readonly process: TestProcess;
  readonly program: Program;
}

const COORDINATOR = "coordinator";
/** Ms until an alarm is tried again whose process ended under it. */
const RING_AGAIN = 2_000;

/**
 * The partitions and the coordinator of a test cluster: a database and an alarm each, and a process that is started by the
 * first message or alarm and again after it has ended.
 */
export class TestMachines {
  readonly storages = new Map<string, SqliteStorage>();
  /** Partitions that no message reaches. */
  readonly unreachable = new Set<string>();
  readonly #parts: MachineParts;
  readonly #partitions = new Map<string, Running<Partition> & { readonly client: PartitionClient }>();
  readonly #alarms = new Map<string, Cancel>();
  readonly #made = new Set<SqliteStorage>();
  #coordinator: Running<Coordinator>;
  #stopped = false;
  #uuids = 0;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#coordinator = this.#startCoordinator();
  }

  get coordinator(): Coordinator {
    return this.#coordinator.program;
  }

  partition(name: string): Partition {
    return this.#running(name).program;
  }

  /** The partition as others reach it by message. */
  client(name: string): PartitionClient {
    if (this.unreachable.has(name)) throw Object.assign(new Error(`nothing reaches ${name}`), { retryable: true });
    return this.#running(name).client;
  }

  storage(name: string): SqliteStorage {
    const known = this.storages.get(name);
    if (known !== undefined) return known;
    const given = this.#parts.storageOf?.(name);
    const storage = given ?? new SqliteStorage();
    if (given === undefined) this.#made.add(storage);
    this.storages.set(name, storage);
    return storage;
  }

  /** @param after commits from now; at once when left out */
  crash(name: string, after: number | undefined): void {
    const running = after === undefined ? this.#partitions.get(name) : this.#running(name);
    if (running === undefined) return;
    endOf(running, after, () => {
      if (this.#partitions.get(name) === running) this.#partitions.delete(name);
    });
  }

  crashCoordinator(after: number | undefined): void {
    const running = this.#coordinator;
    endOf(running, after, () => {
      if (this.#coordinator !== running) return;
      this.#coordinator = this.#startCoordinator();
      void this.coordinator.wake();
    });
  }

  /** Ends every process, for good. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#coordinator.process.end();
    for (const { process } of this.#partitions.values()) process.end();
    for (const cancel of this.#alarms.values()) cancel();
    for (const storage of this.#made) storage.close();
  }

  #running(name: string) {
    const known = this.#partitions.get(name);
    if (known !== undefined) return known;
    if (this.#stopped) throw new Error("the test cluster was stopped");
    const process = this.#process(name);
    const program = this.#startPartition(name, process);
    const client = process.serve(partitionClient(program));
    const running = { process, program, client };
    this.#partitions.set(name, running);
    return running;
  }

  #process(name: string): TestProcess {
    return new TestProcess(this.#parts.clock, this.storage(name), (time) => this.#setAlarm(name, time));
  }

  #connect(from: TestProcess, name: string): PartitionClient {
    from.check();
    return this.client(name);
  }

  #startPartition(name: string, process: TestProcess): Partition {
    const { genesis, observer, log, env, events, gates, limits, router, reconcile } = this.#parts;
    const settings = this.#parts.settings.fork();
    const unlessEnded = <T>(answer: () => Promise<T>) =>
      process.clock.ended ? new Promise<never>(() => undefined) : answer();
    return new Partition({
      settings,
      registry: settings.registry,
      config: settings.config,
      limits,
      log: log === undefined ? undefined : overConnections(log),
      reconcile,
      env,
      events: whileRunning(events, process),
      name,
      proposal: genesis,
      storage: process.storage,
      clock: process.clock,
      random: { uuid: () => testUuid(this.#uuids++) },
      scope: turnScope(),
      // What has ended calls nobody, and is not told so.
      peers: {
        call: (message) => unlessEnded(() => router().call(message)),
        batch: (messages) => unlessEnded(() => router().batch(messages)),
        owner: (object) => router().owner(object),
      },
      gates: {
        names: gates.names,
        deliver: (gate, messages) => unlessEnded(() => gates.deliver(gate, messages)),
        live: (gate, from, changes) => unlessEnded(() => gates.live(gate, from, changes)),
        configure: gates.configure,
      },
      bootstrapper: {
        bootstrap: async (proposal) => this.coordinator.bootstrap(proposal),
        settings: (known) => this.coordinator.newerSettings(known),
      },
      connect: (other) => this.#connect(process, other),
      loads: { report: (report) => this.coordinator.report(report) },
      observer: {
        methodThrew: (...what) => process.run(() => observer.methodThrew(...what)),
        warn: (...what) => process.run(() => observer.warn(...what)),
      },
    });
  }

  #startCoordinator(): Running<Coordinator> {
    const { settings, genesis, observer, gates } = this.#parts;
    const process = this.#process(COORDINATOR);
    const program = new Coordinator({
      storage: process.storage,
      clock: process.clock,
      proposal: genesis,
      connect: (name) => this.#connect(process, name),
      settings: settings.fork(),
      gates,
      warn: (...what) => process.run(() => observer.warn(...what)),
    });
    return { process, program };
  }

  #setAlarm(name: string, time: number | null): void {
    this.#alarms.get(name)?.();
    this.#alarms.delete(name);
    if (time === null) return;
    const { clock } = this.#parts;
    this.#alarms.set(
      name,
      clock.after(time - clock.now(), () => this.#ring(name)),
    );
  }

  /** The alarm is used up when the process has answered; if it ends before, it is asked again. */
  #ring(name: string): void {
    this.#alarms.delete(name);
    this.storage(name).wake = null;
    const answered = name === COORDINATOR ? this.coordinator.wake() : this.#running(name).client.wake();
    answered.catch(() => {
      if (!this.#stopped) this.#setAlarm(name, this.#parts.clock.now() + RING_AGAIN);
    });
  }
}

function endOf({ process }: Running<unknown>, after: number | undefined, onEnd: () => void): void {
  const end = () => {
    process.end();
    onEnd();
  };
  if (after === undefined) end();
  else process.afterCommits(after, end);
}

/** Sinks that a process which has ended hears nothing of. */
function whileRunning({ sinks, topics }: EventRoutes, { clock }: TestProcess): EventRoutes {
  const living = Array.from(sinks, ([name, sink]): [string, EventSink] => {
    const send = (events: readonly PublicEvent[]) =>
      clock.ended ? new Promise<never>(() => undefined) : sink.send(events);
    return [name, { limits: sink.limits, patience: sink.patience, send }];
  });
  return { topics, sinks: new Map(living) };
}

function turnScope() {
  const storage = new AsyncLocalStorage<Turn>();
  return {
    run: <R>(turn: Turn, action: () => R): R => storage.run(turn, action),
    get: () => storage.getStore(),
  };
}
