import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { type CallMessage, objectKey, type Reply } from "../object/message.ts";
import type { TypeDefinition } from "../object/registry.ts";
import { usesReports } from "../placement/load-report.ts";
import type { ReshardReply } from "../placement/move.ts";
import { LogGate } from "../reliable/log-gate.ts";
import { Shipper } from "../reliable/shipper.ts";
import { AutoLoad } from "./auto-load.ts";
import { type CallBatch, CallShipping } from "./calls/call-shipping.ts";
import { CallTable } from "./calls/call-table.ts";
import { MarkSweep } from "./calls/mark-sweep.ts";
import { OrphanWatch } from "./calls/orphan-watch.ts";
import { ReliableCalls } from "./calls/reliable-calls.ts";
import { RunningRequests } from "./calls/running-requests.ts";
import { IndexBuilder } from "./index-builder.ts";
import { LastChange } from "./last-change.ts";
import { LiveObjects } from "./live/live-objects.ts";
import { makeWork, type PartitionWork } from "./make-work.ts";
import { HandOffGate } from "./moves/hand-off-gate.ts";
import { ShardMoves } from "./moves/shard-moves.ts";
import type { PartitionOptions } from "./options.ts";
import { PendingCalls } from "./pending-calls.ts";
import { refusedObjects } from "./refused-objects.ts";
import { ChangeTracker } from "./storage/change-tracker.ts";
import { GroupCommit } from "./storage/group-commit.ts";
import { type Owned, Ownership } from "./storage/ownership.ts";
import type { HashRange } from "./storage/shard-rows.ts";
import { SystemTurns } from "./system-turns.ts";
import { Activations } from "./turns/activations.ts";
import { Deadlines, WAKE_AFTER } from "./turns/deadlines.ts";
import { LoadMeter } from "./turns/load-meter.ts";
import { MemoryBudget } from "./turns/memory-budget.ts";
import { encodeText } from "./turns/method-plan.ts";
import { Outbound } from "./turns/outbound.ts";
import { Transactions } from "./turns/transactions.ts";
import type { Turn, TurnActivation } from "./turns/turn.ts";
import { keysOfCallers } from "./turns/turn-chain.ts";
import { TurnEngine } from "./turns/turn-engine.ts";
import { turnServices } from "./turns/turn-services.ts";
import { WakeUps } from "./wake-ups.ts";

/** The parts of a running partition, put together. */
export class PartitionCore {
  readonly ownership: Ownership;
  readonly activations: Activations;
  readonly memory: MemoryBudget;
  readonly commit: GroupCommit;
  readonly engine: TurnEngine;
  readonly reliable: ReliableCalls;
  readonly table: CallTable;
  readonly orphans: OrphanWatch;
  readonly marks: MarkSweep;
  readonly calls: PendingCalls;
  readonly shipper: Shipper<CallBatch> | undefined;
  readonly gate: HandOffGate;
  readonly meter: LoadMeter;
  readonly moves: ShardMoves;
  readonly encode: (value: unknown) => string;
  readonly #options: PartitionOptions;
  readonly #autoLoad: AutoLoad;
  readonly work: PartitionWork;
  readonly wakeUps: WakeUps;
  readonly system: SystemTurns;
  readonly indexes: IndexBuilder;
  readonly lastChange = new LastChange();
  readonly live: LiveObjects;

  constructor(
    options: PartitionOptions,
    call: (message: CallMessage) => Promise<Reply>,
    onFailure: (error: EdgeverseError) => void,
  ) {
    const { storage, clock, config, log, registry, peers, observer } = options;
    const stored = Ownership.stored(storage) as NonNullable<ReturnType<typeof Ownership.stored>>;
    this.#options = options;
    const now = () => clock.now();
    const changes = new ChangeTracker(storage, now);
    const deadlines = new Deadlines(clock);
    this.encode = encodeText(() => config.maxMessage);
    this.ownership = new Ownership(stored.name, stored.genesis, storage, registry);
    const { ownership } = this;
    const shardAt = (position: number) => ownership.shardAt(position);
    const inside = (keys: Iterable<string>) => ownership.anyGated(keys);
    const fence = (position: number) => ownership.fence(position);
    this.table = new CallTable(storage, { name: stored.name, now, shardAt, changes, fence, logs: log !== undefined });
    const copied = (position: number) => changes.covers(position) || ownership.epochAt(position) === undefined;
    this.marks = new MarkSweep({ storage, now, copied, unlogged: () => this.table.backlog.oldest });
    this.live = new LiveObjects({ ...options, ownership });
    this.commit = new GroupCommit({
      storage,
      clock,
      changes,
      fence,
      onStored: (objects) => this.live.stored(objects),
      onRefused: (members, tell) => this.engine.refuse(refusedObjects(members, observer), tell),
      onFailure,
    });
    this.memory = new MemoryBudget(options.memory ?? (() => config.partitionMemory));
    this.activations = new Activations(clock, config, this.memory, (activation, reason) =>
      this.system.evict(activation, reason),
    );
    const open: PartitionCore["open"] = (...what) => this.open(...what);
    this.system = new SystemTurns({
      ...this,
      registry,
      now,
      config,
      engine: () => this.engine,
      open,
    });
    const reports = () => usesReports({ strategy: config.rebalance, rules: config.placement["rules"] });
    this.meter = new LoadMeter({ clock, ownership, storage, loads: () => (reports() ? options.loads : undefined) });
    this.gate = new HandOffGate({ deadlines, config, inside });
    const wakeBy = (time: number) => this.wakeUps.by(time);
    this.indexes = new IndexBuilder({ storage, clock, registry, ownership, changes, observer, wakeBy });
    const { commit, memory, table } = this;
    const parts = { options, ownership, changes, commit, deadlines, memory, local: call, wakeBy };
    const { work, ofTurn } = makeWork({ ...parts, calls: table, reliable: () => this.reliable, open });
    this.work = work;
    const calling = {
      registry,
      commit: this.commit,
      engine: () => this.engine,
      activation: (turn: Turn, definition: TypeDefinition, id: string) => this.#callable(turn, definition, id),
    };
    const outbound = new Outbound({ ...calling, peers, config, now, memory: this.memory, local: call });
    const transactions = new Transactions({ ...calling, outbound, shards: () => ownership.shards });
    this.engine = new TurnEngine({
      storage,
      clock,
      scope: options.scope,
      activations: this.activations,
      commit: this.commit,
      deadlines,
      meter: this.meter,
      observer,
      services: turnServices({ ...options, commit, memory, outbound, transactions, ...ofTurn }),
      limits: config,
    });
    const barrier = () => storage.barrier();
    this.wakeUps = new WakeUps({
      storage,
      now,
      times: () => [
        this.reliable.open > 0 || this.moves.cleaning || this.indexes.busy ? now() + WAKE_AFTER : undefined,
        this.orphans.due,
        work.wakeTime,
      ],
    });
    const shipping = new CallShipping({ table, now, shardAt, barrier, config });
    if (log !== undefined) {
      const onRefused = ({ details }: EdgeverseError) => observer.warn("the log refuses records", { details });
      this.shipper = new Shipper({ backlog: shipping, log, clock, config, onRefused });
    }
    this.orphans = new OrphanWatch({ ...options, counters: table.counters, onDue: () => this.wakeUps.rearm() });
    this.reliable = new ReliableCalls({
      table: this.table,
      requests: new RunningRequests(this.memory),
      engine: this.engine,
      activations: this.activations,
      commit: this.commit,
      deadlines,
      now,
      encode: this.encode,
      shardAt,
      inside,
      gate: log === undefined ? undefined : new LogGate(log, clock, () => this.orphans.note()),
      shipping: log === undefined ? undefined : shipping,
      config,
      scheduled: (...call) => work.reminders.scheduled.meet(...call),
      onParked: ({ type, id, callId, error }) =>
        observer.warn("a reliable call is parked, until an operator retries or ends it", { type, id, callId, error }),
      onProgress: () => this.#progressed(),
    });
    this.calls = new PendingCalls({
      registry,
      ownership,
      table,
      reliable: this.reliable,
      scheduled: work.reminders.scheduled,
      observer,
      now,
      barrier,
      onProgress: () => this.#progressed(),
      open,
    });
    this.#autoLoad = new AutoLoad({ registry, ownership, clock, load: (...object) => this.system.load(...object) });
    ownership.onClaimed = (shard) => this.#autoLoad.shard(shard);
    this.moves = new ShardMoves({
      ownership,
      changes,
      storage,
      clock,
      registry,
      activations: this.activations,
      engine: this.engine,
      reliable: this.reliable,
      work,
      commit: this.commit,
      connect: options.connect,
      config,
      onClearing: (busy) => {
        if (busy) return this.wakeUps.by(now() + WAKE_AFTER);
        work.cleared();
        return this.wakeUps.rearm();
      },
      deactivate: (activation) => this.system.evict(activation, "moved"),
      resume: (shard) => {
        this.marks.arrived();
        table.backlog.arrived();
        this.#takeUp(false, ownership.range(shard));
      },
      onLeft: (shard) => this.live.left(shard),
      onRows: (shard, rows) => this.indexes.arrived(shard, rows),
      onOwned: (shard) => this.#autoLoad.shard(shard),
      onError: (error) => onFailure(new EdgeverseError("UNAVAILABLE", "Cannot clear a shard away", { cause: error })),
    });
  }

  open(definition: TypeDefinition, id: string, owned: Owned): TurnActivation {
    return this.activations.open(objectKey(definition.type, id), definition, id, owned);
  }

  /** Goes on with what the last process left: accepted calls ([CALL3]) and rows to clear. `crashed`: that process ended by itself. */
  resume(crashed: boolean): void {
    this.moves.resume();
    this.live.resume();
    this.#takeUp(crashed);
    this.#autoLoad.all();
  }

  #takeUp(crashed: boolean, range?: HashRange): void {
    this.calls.resume(crashed, range);
    this.work.resume(range);
    this.indexes.resume();
    this.#progressed();
  }

  /**
   * Ends this process of the partition: everyone who waits is told `error`, or sent again, and nothing that is still under
   * way has an effect. The database is as the last commit left it.
   */
  stop(error: EdgeverseError): void {
    this.moves.stop();
    this.gate.stop();
    this.#autoLoad.stop();
    this.engine.stop(error);
    this.reliable.stop(error);
    this.work.stop();
    this.indexes.stop();
    this.live.stop();
    this.commit.discard(error);
    this.shipper?.stop();
  }

  /** Counts shards anew ([SPLIT1]). */
  async reshard(shards: number, version: number): Promise<ReshardReply> {
    const { ownership, activations } = this;
    // An object may be in memory from an earlier stay of its shard here: that state is old.
    const stale = [...activations.all()].filter(
      (activation) => activation.epoch !== ownership.epochAt(activation.position),
    );
    const reply = this.moves.reshard(shards, version);
    if (reply.kind === "done") {
      for (const activation of stale) activations.forget(activation);
      for (const activation of activations.all())
        activation.epoch = ownership.epochAt(activation.position) ?? activation.epoch;
      this.#autoLoad.all();
      await this.#options.storage.barrier();
    }
    return reply;
  }

  #progressed(): void {
    if (this.reliable.open === 0) return;
    this.shipper?.poke();
    this.wakeUps.by(this.#options.clock.now() + WAKE_AFTER);
  }

  /** The activation of an object of this partition that `turn` may call without a message. */
  #callable(turn: Turn, definition: TypeDefinition, id: string): TurnActivation | undefined {
    const located = this.#locate(definition, id);
    if (located.kind === "owned") return this.open(definition, id, located);
    if (located.kind === "moved" || located.owned === undefined) return undefined;
    // The hand-off waits for `turn`, or for a turn that waits for `turn`.
    return this.ownership.anyGated(keysOfCallers(turn)) ? this.open(definition, id, located.owned) : undefined;
  }

  #locate({ type }: TypeDefinition, id: string): ReturnType<Ownership["locate"]> {
    return this.ownership.locate(this.#options.registry.placement(type, id), this.#options.clock.now());
  }
}
