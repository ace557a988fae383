import { AsyncLocalStorage } from "node:async_hooks";
import { type Config, configSchema } from "../config/config.ts";
import type { AdminCommand } from "../coordinator/commands.ts";
import { Coordinator } from "../coordinator/coordinator.ts";
import { policyOf } from "../coordinator/policy.ts";
import type { CallMessage } from "../object/message.ts";
import { Registry } from "../object/registry.ts";
import type { ObjectClass } from "../object/virtual-object.ts";
import { partitionClient } from "../partition/client.ts";
import { Partition } from "../partition/partition.ts";
import type { Turn } from "../partition/turns/turn.ts";
import type { Genesis } from "../placement/shard-map.ts";
import type { Clock } from "../platform/ports.ts";
import type { CallLog } from "../reliable/ports.ts";
import { LearnedMap } from "../router/map-cache.ts";
import type { Connect } from "../router/ports.ts";
import { type FinalReply, Router } from "../router/router.ts";
import { ManualClock } from "./clocks.ts";
import { SqliteStorage } from "./sqlite-storage.ts";

export interface TestClusterOptions {
  readonly objects: readonly ObjectClass[];
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string | number>>;
  readonly clock?: Clock;
  readonly log?: CallLog;
  /** What objects reach as `this.env`. */
  readonly env?: Partial<Cloudflare.Env>;
  /** The storage of partition `name`, or of "coordinator"; default: a new one in memory. */
  readonly storageOf?: (name: string) => SqliteStorage;
}

export interface TestCall {
  readonly callId?: string;
  readonly timeout?: number;
  readonly answer?: "outcome" | "accepted";
  readonly expiresIn?: number;
  readonly log?: "write-ahead" | "write-behind";
}

/** A whole cluster in one process: real partitions, coordinator and router over SQLite in memory and a clock of yours. */
export class TestCluster {
  readonly clock: Clock;
  readonly config: Config;
  readonly registry: Registry;
  readonly router: Router;
  readonly storages = new Map<string, SqliteStorage>();
  coordinator: Coordinator;
  readonly warnings: { event: string; details: unknown }[] = [];
  /** What methods threw that was not meant for their callers. */
  readonly thrown: unknown[] = [];
  readonly #options: TestClusterOptions;
  readonly #partitions = new Map<string, Partition>();
  readonly genesis: Genesis;
  #requests = 0;

  constructor(options: TestClusterOptions) {
    this.#options = options;
    this.clock = options.clock ?? new ManualClock();
    this.config = configSchema.parse({ partitions: options.partitions ?? 1, ...options.config });
    this.registry = new Registry(options.objects);
    const members = Array.from({ length: this.config.partitions }, (_, index) => ({ name: `p${index}`, weight: 1 }));
    this.genesis = { shards: this.config.shards, members };
    this.coordinator = this.#coordinator();
    this.router = this.#router();
  }

  partition(name: string): Partition {
    const known = this.#partitions.get(name);
    if (known !== undefined) return known;
    const partition = new Partition({
      registry: this.registry,
      config: this.config,
      storage: this.storage(name),
      clock: this.clock,
      random: { uuid: () => `uuid-${this.#requests++}` },
      scope: turnScope(),
      peers: { call: (message) => this.router.call(message) },
      bootstrapper: { bootstrap: async (proposal) => this.coordinator.bootstrap(proposal) },
      connect: this.#connect,
      loads: { report: (report) => this.coordinator.report(report) },
      log: this.#options.log,
      env: this.#options.env,
      observer: {
        methodThrew: (_key, _request, thrown) => this.thrown.push(thrown),
        warn: (event, details) => this.warnings.push({ event, details }),
      },
      proposal: this.genesis,
      name,
    });
    this.#partitions.set(name, partition);
    return partition;
  }

  storage(name: string): SqliteStorage {
    const known = this.storages.get(name);
    if (known !== undefined) return known;
    const storage = this.#options.storageOf?.(name) ?? new SqliteStorage();
    this.storages.set(name, storage);
    return storage;
  }

  /** Loses everything partition `name` had only in memory. Whoever waits for it waits for ever. */
  crash(name: string): void {
    this.#partitions.delete(name);
  }

  message(type: string, id: string, method: string, request?: unknown, options: TestCall = {}): CallMessage {
    const now = this.clock.now();
    return {
      type,
      id,
      method,
      ...(request === undefined ? {} : { request: JSON.stringify(request) }),
      deadline: now + (options.timeout ?? this.config.callTimeout),
      requestId: `r${this.#requests++}`,
      caller: { kind: "client" },
      ...(options.callId === undefined
        ? {}
        : {
            reliable: {
              callId: options.callId,
              answer: options.answer ?? "outcome",
              ...(options.log === undefined ? {} : { log: options.log }),
              ...(options.expiresIn === undefined ? {} : { expiresAt: now + options.expiresIn }),
            },
          }),
    };
  }

  send(type: string, id: string, method: string, request?: unknown, options?: TestCall): Promise<FinalReply> {
    return this.router.call(this.message(type, id, method, request, options));
  }

  /** Calls, lets the manual clock run a little, and returns the response, or throws `{ code, … }`. */
  async call(type: string, id: string, method: string, request?: unknown, options?: TestCall): Promise<unknown> {
    const pending = this.send(type, id, method, request, options);
    if (this.clock instanceof ManualClock) await this.clock.advance(1);
    const reply = await pending;
    if (reply.kind === "response") return JSON.parse(reply.response);
    if (reply.kind === "error") throw reply.error;
    return reply;
  }

  async lifecycle(action: "create" | "delete", type: string, id: string): Promise<unknown> {
    const deadline = this.clock.now() + this.config.callTimeout;
    const pending = this.router.lifecycle({ action, type, id, deadline, requestId: "r", caller: { kind: "client" } });
    if (this.clock instanceof ManualClock) await this.clock.advance(1);
    const reply = await pending;
    if (reply.kind === "response") return JSON.parse(reply.response);
    throw reply.kind === "error" ? reply.error : new Error(reply.kind);
  }

  /** Ends the coordinator's process; the next one goes on from its database. */
  crashCoordinator(): void {
    this.coordinator.stop();
    this.coordinator = this.#coordinator();
    void this.coordinator.wake();
  }

  /** Gives the coordinator a command; returns its result, or throws `{ code, … }`. */
  async command(command: AdminCommand): Promise<unknown> {
    const answer = await this.coordinator.execute(command, { actor: "test", requestId: `r${this.#requests++}` });
    if (answer.ok) return answer.result;
    throw answer.error;
  }

  readonly #connect: Connect = (name) => partitionClient(this.partition(name), this.clock);

  #coordinator(): Coordinator {
    return new Coordinator({
      storage: this.storage("coordinator"),
      clock: this.clock,
      connect: (name) => this.#connect(name),
      policy: policyOf(this.config),
      limits: { stall: this.config.moveStall, longest: this.config.moveLimit },
      warn: (event, details) => this.warnings.push({ event, details }),
    });
  }

  #router(): Router {
    return new Router({
      registry: this.registry,
      connect: this.#connect,
      cache: new LearnedMap(this.genesis, async () => this.coordinator.map()),
      clock: this.clock,
    });
  }
}

function turnScope() {
  const storage = new AsyncLocalStorage<Turn>();
  return {
    run: <R>(turn: Turn, action: () => R): R => storage.run(turn, action),
    get: () => storage.getStore(),
  };
}
