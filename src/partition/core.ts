import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { placementOf } from "../identity/object-id.ts";
import { type CallMessage, objectKey, type Reply } from "../object/message.ts";
import type { TypeDefinition } from "../object/registry.ts";
import { LogGate } from "../reliable/log-gate.ts";
import { type BacklogEntry, Shipper } from "../reliable/shipper.ts";
import { hooksOf } from "./activate.ts";
import { CallTable } from "./call-table.ts";
import { Cells } from "./cells.ts";
import { Deadlines } from "./deadlines.ts";
import { GroupCommit } from "./group-commit.ts";
import { encodeText } from "./method-plan.ts";
import type { PartitionOptions } from "./options.ts";
import { Outbound } from "./outbound.ts";
import { type Owned, Ownership } from "./ownership.ts";
import { ReliableCalls } from "./reliable-calls.ts";
import type { Turn, TurnCell, TurnServices } from "./turn.ts";
import { TurnEngine } from "./turn-engine.ts";
import { TurnStore } from "./turn-store.ts";

/** Ms until a partition with open calls is woken if its process ends. */
const WAKE_AFTER = 5_000;
/** Ms an `onDeactivate` may take. */
const DEACTIVATE_WITHIN = 10_000;

/** The parts of a running partition, put together. */
export class PartitionCore {
  readonly ownership: Ownership;
  readonly cells: Cells;
  readonly commit: GroupCommit;
  readonly engine: TurnEngine;
  readonly reliable: ReliableCalls;
  readonly table: CallTable;
  readonly shipper: Shipper | undefined;
  readonly encode: (value: unknown) => string;
  readonly #options: PartitionOptions;
  #armed = false;

  constructor(
    options: PartitionOptions,
    call: (message: CallMessage) => Promise<Reply>,
    onFailure: (error: EdgeverseError) => void,
  ) {
    const { storage, clock, config, log, registry, peers } = options;
    const stored = Ownership.stored(storage) as NonNullable<ReturnType<typeof Ownership.stored>>;
    this.#options = options;
    this.encode = encodeText(config.maxMessage);
    this.ownership = new Ownership(stored.name, stored.genesis, storage);
    this.table = new CallTable(storage);
    this.commit = new GroupCommit(storage, clock, onFailure);
    this.cells = new Cells(clock, config, (cell, reason) => this.#evict(cell, reason));
    const deadlines = new Deadlines(clock);
    const now = () => clock.now();
    const outbound = new Outbound({
      registry,
      peers,
      config,
      now,
      commit: this.commit,
      engine: () => this.engine,
      cell: (definition, id) => this.#own(definition, id),
      reliable: call,
    });
    this.engine = new TurnEngine({
      storage,
      clock,
      scope: options.scope,
      cells: this.cells,
      commit: this.commit,
      deadlines,
      observer: options.observer,
      services: this.#services(outbound),
      limits: config,
    });
    this.shipper =
      log === undefined
        ? undefined
        : new Shipper({
            backlog: this.#backlog(),
            log,
            clock,
            interval: config.logInterval,
            onRefused: ({ details }) => options.observer.warn("the log refuses records", { details }),
          });
    this.reliable = new ReliableCalls({
      table: this.table,
      engine: this.engine,
      cells: this.cells,
      commit: this.commit,
      deadlines,
      now,
      gate: log === undefined ? undefined : new LogGate(log, clock),
      config,
      onProgress: () => this.#progressed(),
    });
  }

  open(definition: TypeDefinition, id: string, owned: Owned): TurnCell {
    return this.cells.open(objectKey(definition.type, id), definition, id, owned);
  }

  /** Takes up the reliable calls that an earlier process had accepted ([CALL3]); `crashed` when it ended by itself. */
  resume(crashed: boolean): void {
    const { registry, observer, clock } = this.#options;
    for (const stored of this.table.pending()) {
      const { record } = stored;
      try {
        const definition = registry.type(record.type);
        const owned = this.ownership.locate(placementOf(record.id), clock.now());
        if (owned.kind === "moved") continue;
        const cell = this.open(definition, record.id, owned);
        this.reliable.resume(stored, cell, registry.method(definition, record.method), crashed);
      } catch (error) {
        observer.warn("a pending call can't be resumed", {
          key: objectKey(record.type, record.id),
          callId: record.callId,
          error,
        });
      }
    }
    this.#progressed();
  }

  /** Asks to be woken again while calls are open. */
  rearm(): void {
    this.#armed = this.reliable.open > 0;
    this.#options.storage.wakeAt(this.#armed ? this.#options.clock.now() + WAKE_AFTER : null);
  }

  /**
   * Ends this process of the partition: everyone who waits is told `error`, and nothing that is still under way has an
   * effect. The database is as the last commit left it.
   */
  stop(error: EdgeverseError): void {
    this.engine.stop(error);
    this.reliable.stop(error);
    this.commit.discard(error);
    this.shipper?.stop();
  }

  #progressed(): void {
    if (this.reliable.open === 0) return;
    this.shipper?.poke();
    if (!this.#armed) this.rearm();
  }

  #own(definition: TypeDefinition, id: string): TurnCell | undefined {
    const owned = this.ownership.locate(placementOf(id), this.#options.clock.now());
    return owned.kind === "moved" ? undefined : this.open(definition, id, owned);
  }

  #services(outbound: Outbound): TurnServices {
    const { storage, config } = this.#options;
    return {
      stub: (turn, type, id, options) => outbound.stub(turn, type, id, options),
      openStore: (turn) =>
        new TurnStore(turn.cell, storage, {
          maxValue: config.maxValue,
          checkMutable: () => turn.checkMutable("change the store"),
          flush: () => this.commit.flush(),
          under: turn.outer === undefined ? undefined : () => (turn.outer as Turn).openStore(),
        }),
      uuid: () => this.#options.random.uuid(),
      over: (turn) =>
        new EdgeverseError(
          "DEADLINE_EXCEEDED",
          `The turn on ${turn.cell.key} has ended: what it does now has no effect`,
        ),
    };
  }

  #backlog() {
    const { storage } = this.#options;
    return {
      next: async (limit: number) => {
        const entries = this.table.backlog(limit);
        if (entries.length > 0) await storage.barrier();
        return entries;
      },
      shipped: (entries: readonly BacklogEntry[]) => this.table.shipped(entries),
    };
  }

  #evict(cell: TurnCell, reason: "idle" | "capacity"): void {
    if (cell.activation === undefined || !cell.definition.hooks.has("onDeactivate")) {
      this.cells.forget(cell);
      return;
    }
    const deadline = this.#options.clock.now() + DEACTIVATE_WITHIN;
    this.engine.submit(cell, {
      kind: "deactivate",
      readonly: false,
      info: {
        caller: { kind: "system" },
        deadline,
        callId: undefined,
        requestId: `deactivate ${cell.key}`,
        traceparent: undefined,
      },
      async: true,
      run: (instance) => hooksOf(instance).onDeactivate(reason),
      encode: () => undefined,
      finish: () => {
        cell.activation = undefined;
        this.commit.settled(() => {
          if (cell.evictable && cell.activation === undefined) this.cells.forget(cell);
        });
      },
    });
  }
}
