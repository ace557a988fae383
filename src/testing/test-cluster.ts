// An author's `lib` may be older than `Symbol.dispose`.
/// <reference lib="esnext.disposable" preserve="true" />
import { type Config, configSchema } from "../config/config.ts";
import type { AdminCommand } from "../coordinator/commands.ts";
import type { Coordinator } from "../coordinator/coordinator.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { checkLimits } from "../limits/limits-schema.ts";
import type { PublicEvent } from "../object/event.ts";
import type { CallMessage, FinalReply } from "../object/message.ts";
import type { ObjectClass } from "../object/object-class.ts";
import type { IndexName, IndexValueOf } from "../object/object-index.ts";
import { Registry } from "../object/registry.ts";
import type { CreateParameters } from "../object/request-types.ts";
import type { Stub } from "../object/stub-types.ts";
import type { Partition } from "../partition/partition.ts";
import { type Genesis, ShardMap } from "../placement/shard-map.ts";
import type { Clock } from "../platform/ports.ts";
import { maintenanceOf } from "../reliable/maintenance.ts";
import { clientLimits } from "../router/client-limits.ts";
import { LearnedMap } from "../router/map-cache.ts";
import { type FoundObjects, ObjectQueries, type QueryOptions } from "../router/object-queries.ts";
import { type RemoteCallOptions, type RemoteLifecycleOptions, RemoteObjects } from "../router/remote-objects.ts";
import { Router } from "../router/router.ts";
import { LiveSettings } from "../settings/live-settings.ts";
import { followerOf } from "../settings/settings-follower.ts";
import { ManualClock } from "./clocks.ts";
import { endOfMove } from "./end-of-move.ts";
import { MemoryCallLog } from "./memory-call-log.ts";
import { PacedRouter } from "./paced-router.ts";
import { ProcessClock } from "./process-clock.ts";
import type { SqliteStorage } from "./sqlite-storage.ts";
import type { TestClusterOptions } from "./test-cluster-options.ts";
import type { TestConnection } from "./test-connection.ts";
import { type ConnectOptions, TestGates } from "./test-gates.ts";
import { TestMachines } from "./test-machines.ts";
import { type NamedCall, testMessage } from "./test-message.ts";
import { memorySink, testRoutes } from "./test-sinks.ts";

/** When a process ends: at once, or right after it has committed so often from now, before anybody hears of it. */
export interface CrashTime {
  readonly afterCommits?: number;
}

/**
 * A whole cluster in one process of Node: real partitions, a real coordinator and router, over SQLite in memory and a clock
 * that stands still until a call or the test moves it.
 *
 * @example
 * const cluster = new TestCluster({ objects: [Wallet], partitions: 2 });
 * const ann = cluster.object(Wallet, "ann");
 * expect(await ann.deposit({ amount: 10 })).toEqual({ balance: 10 });
 * cluster.crash(cluster.ownerOf(Wallet, "ann"));
 * expect(await ann.getBalance()).toEqual({ balance: 10 });
 */
export class TestCluster<ClockType extends Clock = ManualClock> {
  readonly clock: ClockType;
  /** The log of reliable calls. `log.down = true` takes it away, as when Postgres is. */
  readonly log: MemoryCallLog;
  /** What methods and hooks threw that was not meant for their callers. A call that fails over it has it as its `cause`. */
  readonly thrown: unknown[] = [];
  /** What objects have told the outside. */
  readonly events: PublicEvent[] = [];
  /** What an operator would be told. */
  readonly warnings: { readonly event: string; readonly details: unknown }[] = [];
  /** @internal */
  readonly config: Config;
  /** The settings of whoever calls. @internal */
  readonly settings: LiveSettings;
  /** @internal */
  readonly registry: Registry;
  /** @internal */
  readonly router: Router;
  /** @internal */
  readonly genesis: Genesis;
  readonly #machines: TestMachines;
  readonly #paced: PacedRouter;
  readonly #objects: RemoteObjects;
  readonly #queries: ObjectQueries;
  readonly #routerClock: ProcessClock;
  /** @internal */ readonly gates: TestGates;
  #requests = 0;

  constructor(options: TestClusterOptions<ClockType>) {
    this.clock = options.clock ?? (new ManualClock() as Clock as ClockType); // which is the default of `ClockType`
    this.log = options.log || new MemoryCallLog(this.clock);
    this.settings = new LiveSettings({
      config: configSchema.parse({ partitions: options.partitions ?? 1, ...options.config }),
      given: Object.keys(options.config ?? {}),
      registry: new Registry(options.objects, options.access),
    });
    this.config = this.settings.config;
    this.registry = this.settings.registry;
    const members = Array.from({ length: this.config.partitions }, (_, index) => ({ name: `p${index}`, weight: 1 }));
    this.genesis = { shards: this.config.shards, members };
    const { clock, settings, config, registry, genesis } = this;
    const log = options.log === false ? undefined : this.log;
    const connect = (name: string) => this.#machines.client(name);
    this.gates = new TestGates({ clock, settings, push: options.push, cluster: this, connect });
    this.#machines = new TestMachines({
      clock,
      settings,
      genesis,
      gates: this.gates,
      limits: checkLimits(options.limits ?? {}),
      storageOf: options.storageOf,
      env: options.env,
      events: testRoutes(registry, options.sinks ?? { test: { topics: "*", sink: memorySink(this.events) } }),
      log,
      observer: {
        methodThrew: (_key, requestId, thrown) => {
          this.thrown.push(thrown);
          this.#paced.threw(requestId, thrown);
        },
        warn: (event, details) => this.warnings.push({ event, details }),
      },
      router: () => this.router,
      reconcile: () => maintenance.reconcile(),
    });
    this.#routerClock = new ProcessClock(clock);
    this.router = new Router({
      registry,
      connect,
      cache: new LearnedMap(genesis, async () => this.coordinator.map()),
      clock: this.#routerClock,
      settings: followerOf(settings, { clock, ask: (known) => this.coordinator.newerSettings(known) }),
    });
    const { router } = this;
    const maintenance = maintenanceOf({ log, router, connect, config, registry, clock: this.#routerClock });
    this.#queries = new ObjectQueries({ registry, connect, clock, router });
    this.#paced = new PacedRouter(this.router, clock);
    const clients = clientLimits({ limits: options.limits ?? {}, settings, router, connect, clock: this.#routerClock });
    const own = { registry, config, clock, random: { uuid: this.#requestId }, clients };
    this.#objects = new RemoteObjects({ ...own, router: this.#paced, caller: "worker" });
  }

  /**
   * A typed stub of an object for the test's own calls, or with `identity` a client's: `null` is an anonymous one. With
   * `callId` its calls are reliable. They throw `EdgeverseError`.
   *
   * A manual clock goes on by a millisecond for a call. It goes on further, up to a second, for one that has to wait: for a
   * retry, or for a shard that moves. A call that takes longer ends when the test moves the clock.
   * @throws EdgeverseError `TYPE_NOT_FOUND`, `INVALID_ARGUMENT` for an option that makes no sense
   */
  object<Class extends ObjectClass>(type: Class, id: string, options?: RemoteCallOptions): Stub<Class> {
    return this.#objects.stub(type, id, options);
  }

  /** Finds objects by an index of their class, as `host.query` does; with `identity` what that client finds. */
  async query<Class extends ObjectClass, Name extends IndexName<Class>>(
    type: Class,
    options: QueryOptions<Name, IndexValueOf<Class, Name>>,
  ): Promise<FoundObjects<IndexValueOf<Class, Name>>> {
    const found = this.#queries.find(type.type, options);
    return (await (this.clock instanceof ManualClock ? this.clock.until(found) : found)) as FoundObjects<never>;
  }

  /** Creates the object; false when it was there already, and the request then counts for nothing. */
  create<Class extends ObjectClass>(
    type: Class,
    id: string,
    ...request: CreateParameters<Class, RemoteLifecycleOptions>
  ): Promise<boolean> {
    return this.#objects.create(type, id, ...request);
  }

  delete(type: ObjectClass, id: string, options?: RemoteLifecycleOptions): Promise<void> {
    return this.#objects.delete(type, id, options);
  }

  /** Connects a client, which may listen to what the option `push` says. */
  connect(options?: ConnectOptions): Promise<TestConnection> {
    return this.gates.connect(options);
  }

  /** The partition that has the object, by the map. @throws EdgeverseError `TYPE_NOT_FOUND`, `INVALID_ID` */
  ownerOf(type: ObjectClass, id: string): string {
    this.registry.type(type.type);
    const placement = this.registry.placement(type.type, id);
    return placement.kind === "partition" ? placement.partition : this.#map().owner(this.#shardOf(type, id));
  }

  /**
   * Moves the object to another partition, with all that are on its shard. Resolves when they are there; at once if they are.
   * @throws EdgeverseError `CONFLICT` when the move is refused or undone, with the reason
   */
  async move(type: ObjectClass, id: string, { to }: { readonly to: string }): Promise<void> {
    if (this.ownerOf(type, id) === to) return;
    const shard = this.#shardOf(type, id);
    await this.command({ kind: "move-shard", shard, to });
    const ended = endOfMove(() => this.coordinator, shard, this.clock);
    const move = await (this.clock instanceof ManualClock ? this.clock.until(ended) : ended);
    if (move?.phase === "done") return;
    throw new EdgeverseError(
      "CONFLICT",
      `${type.type}/${id} did not move to ${to}: ${move?.trouble ?? "it was undone"}`,
    );
  }

  /**
   * Ends the process of partition or gate `name`: all it had only in memory is lost, and calls under way find the connection broken.
   * The next message or alarm starts another one from its database.
   */
  crash(name: string, when: CrashTime = {}): void {
    if (this.gates.crash(name, when.afterCommits)) return;
    const known = this.#map().partitions;
    if (!known.includes(name)) throw new Error(`Cannot crash "${name}": the cluster has ${known.join(", ")}`);
    this.#machines.crash(name, when.afterCommits);
  }

  /** Ends the coordinator's process; the next one goes on from its database. */
  crashCoordinator(when: CrashTime = {}): void {
    this.#machines.crashCoordinator(when.afterCommits);
  }

  /** Partitions that no message reaches: `unreachable.add("p1")` cuts one off, `delete` lets messages through again. */
  get unreachable(): Set<string> {
    return this.#machines.unreachable;
  }

  /** The database of a partition, or of "coordinator": look into it, or make its commits fail with `failing`. */
  storage(name: string): SqliteStorage {
    return this.#machines.storage(name);
  }

  /** Ends every process and timer. Calls that are under way are never answered. `using cluster = …` does it by itself. */
  stop(): void {
    this.#paced.stop();
    this.#routerClock.end();
    this.gates.stop();
    this.#machines.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** @internal */
  get coordinator(): Coordinator {
    return this.#machines.coordinator;
  }

  /** @internal */
  get storages(): Map<string, SqliteStorage> {
    return this.#machines.storages;
  }

  /** @internal */
  partition(name: string): Partition {
    return this.#machines.partition(name);
  }

  /** @internal */
  message(...call: NamedCall): CallMessage {
    const [now, timeout, requestId] = [this.clock.now(), this.config.callTimeout, this.#requestId()];
    return testMessage(call, { now, timeout, requestId });
  }

  /** Sends a call by the names of type and method, and leaves the clock alone. @internal */
  send(...call: NamedCall): Promise<FinalReply> {
    return this.router.call(this.message(...call));
  }

  /** The same, and lets the clock go on as a stub does. @internal */
  async call(...call: NamedCall): Promise<unknown> {
    return this.#response(await this.#paced.call(this.message(...call)));
  }

  /** Creates or deletes an object. @internal */
  async lifecycle(action: "create" | "delete", type: string, id: string, request?: unknown): Promise<unknown> {
    const deadline = this.clock.now() + this.config.callTimeout;
    const text = request === undefined ? {} : { request: JSON.stringify(request) };
    const from = { requestId: this.#requestId(), caller: { kind: "worker" } } as const;
    const message = { action, type, id, deadline, ...text, ...from };
    return this.#response(await this.#paced.lifecycle(message));
  }

  /** Gives the coordinator a command; returns its result. @internal */
  async command(command: AdminCommand): Promise<unknown> {
    const answer = await this.coordinator.execute(command, { actor: "test", requestId: this.#requestId() });
    if (answer.ok) return answer.result;
    throw EdgeverseError.from(answer.error);
  }

  #response(reply: FinalReply): unknown {
    if (reply.kind === "error") throw EdgeverseError.from(reply.error);
    return reply.kind === "response" ? JSON.parse(reply.response) : reply;
  }

  readonly #requestId = () => `r${this.#requests++}`;

  #map(): ShardMap {
    return new ShardMap(this.coordinator.map() ?? { version: 0, genesis: this.genesis, exceptions: [] });
  }

  #shardOf({ type }: ObjectClass, id: string): number {
    const shard = this.#map().shard(this.registry.placement(type, id));
    if (shard !== undefined) return shard;
    throw new EdgeverseError("INVALID_ID", `"${id}" stays on its partition: it is on no shard that could move`);
  }
}
