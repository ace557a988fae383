import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { LoadReport } from "../placement/load-report.ts";
import { checkGenesis, type Genesis, type MapDocument } from "../placement/shard-map.ts";
import type { VersionedDocument } from "../settings/document.ts";
import { auditedSettings } from "./audit.ts";
import type {
  AdminCommand,
  AdminResult,
  AuditRow,
  CallCommand,
  CoordinatorAdmin,
  CoordinatorView,
  EventCommand,
  MovesQuery,
  MoveView,
  Operator,
  SettingsView,
  ShardNote,
} from "./commands.ts";
import type { Bootstrapped, CoordinatorOptions } from "./coordinator-options.ts";
import { type CoordinatorParts, coordinatorParts } from "./coordinator-parts.ts";
import type { Move } from "./move-journal.ts";
import type { DuePlan } from "./plan-schedule.ts";
import { Rounds } from "./rounds.ts";
import type { SettingsResult, SettingsVersion } from "./settings-views.ts";
import { migrateCoordinator } from "./tables.ts";

export interface CoordinatorStatus {
  readonly bootstrapped: boolean;
  readonly bootstrappedAt: number | null;
  readonly mapVersion: number;
}

/** Ms until the alarm goes on with the work, if this process has ended. */
const WAKE_AFTER = 5_000;
/** Ms until a step of a change of the shard count is tried again. */
const STEP_AGAIN = 100;

/**
 * Holds the shard map and changes it ([MAP1], [MEM1], [PLAN1]). It is asked when a partition is new and when an operator
 * wants something, never on the path of a call ([OWN3]). It acts only while there is something to do ([MEM2]): moves under
 * way, a plan that waits, a new shard count.
 */
export class Coordinator implements CoordinatorAdmin {
  readonly #options: CoordinatorOptions;
  readonly #parts: CoordinatorParts;
  readonly #rounds: Rounds;
  #cancelTimer: (() => void) | undefined;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    migrateCoordinator(options.storage);
    this.#rounds = new Rounds(
      () => this.#round(),
      (error) => options.warn("the coordinator can't go on", { error }),
    );
    this.#parts = coordinatorParts(options, {
      wants: (trigger) => this.#wants(trigger),
      turn: () => this.#turn(),
      ended: (move) => this.#ended(move),
      armAgain: () => this.#armAgain(),
    });
    const { genesis } = this.#parts.map;
    if (genesis !== undefined && this.#parts.map.everyone.length === 0) this.#parts.map.adopt(genesis);
  }

  /**
   * Bootstraps the cluster with the first proposal it gets; later proposals change nothing.
   * @throws Error when the proposal is malformed
   */
  bootstrap(proposal: Genesis): Bootstrapped {
    if (this.#parts.map.genesis === undefined) {
      checkGenesis(proposal);
      this.#parts.map.bootstrap(proposal);
    }
    const { settled } = this.#parts.desk;
    const { genesis = proposal, shards } = this.#parts.map;
    return { genesis, shards, ...(settled.version === 0 ? {} : { settings: settled }) };
  }

  /** The newest map; undefined before the bootstrap. */
  map(): MapDocument | undefined {
    return this.#parts.map.document();
  }

  status(): CoordinatorStatus {
    const { bootstrappedAt } = this.#parts.map;
    return {
      bootstrapped: bootstrappedAt !== null,
      bootstrappedAt,
      mapVersion: bootstrappedAt === null ? 0 : this.#parts.map.version,
    };
  }

  /** What a partition had to do. */
  async report(report: LoadReport): Promise<void> {
    const trigger = this.#parts.loads.report(report);
    if (trigger !== undefined) this.#wants(trigger);
  }

  /** Carries out a command and leaves a row in the audit. Never rejects. */
  async execute(command: AdminCommand, operator: Operator): Promise<AdminResult> {
    let answer: AdminResult;
    try {
      if (this.#parts.map.genesis === undefined && this.#options.proposal !== undefined)
        this.bootstrap(this.#options.proposal);
      if (this.#parts.map.genesis === undefined)
        throw new EdgeverseError("UNAVAILABLE", "The cluster is not bootstrapped yet");
      if (command.kind === "rebalance" && command.strategy === "load") await this.#parts.loads.ask();
      answer = { ok: true, result: this.#parts.commands.run(command, operator) };
    } catch (error) {
      this.#forget();
      if (!(error instanceof EdgeverseError)) this.#options.warn("a command failed", { command, error });
      answer = { ok: false, error: EdgeverseError.from(error).toWire() };
    }
    const noted =
      command.kind === "put-settings" || command.kind === "rollback-settings"
        ? auditedSettings(command, answer.ok ? (answer.result as SettingsResult) : undefined)
        : command;
    this.#parts.audit.add(noted, operator, answer.ok ? "done" : answer.error.code);
    await this.#options.storage.barrier();
    return answer;
  }

  async settings(version?: number): Promise<SettingsView | null> {
    const found = this.#parts.desk.find(version ?? this.#parts.desk.newest.version);
    const receipts = found?.version === this.#parts.desk.newest.version ? this.#parts.spread.receipts() : null;
    return found === undefined ? null : { ...found, receipts };
  }

  async settingsVersions(): Promise<SettingsVersion[]> {
    return this.#parts.desk.versions();
  }

  async newerSettings(known: number): Promise<VersionedDocument | null> {
    const newest = await this.#parts.desk.settle();
    return newest.version > known ? newest : null;
  }

  /** An API key counts no more: called in the transaction that revokes it. */
  revoked(credential: string): void {
    const { proposal } = this.#options;
    if (this.#parts.map.genesis === undefined && proposal !== undefined) this.bootstrap(proposal);
    this.#armAgain();
    this.#parts.revocations.add(credential);
    this.#turn();
  }

  /** Leaves a row in the audit of a command that was carried out elsewhere. */
  async auditCall(command: CallCommand | EventCommand, operator: Operator, outcome: string): Promise<void> {
    this.#parts.audit.add(command, operator, outcome);
    await this.#options.storage.barrier();
  }

  async view(): Promise<CoordinatorView> {
    return {
      mapVersion: this.#parts.map.version,
      members: this.#parts.members.views(),
      moves: this.#parts.journal.counts(),
      reshard: this.#parts.resharder.view(),
      decisions: this.#parts.rebalancer.decisions(20),
      decisionCounts: this.#parts.rebalancer.decisionCounts,
    };
  }

  async notes(): Promise<ShardNote[]> {
    return [...this.#parts.map.notes.values()].map(({ retryAt: _, ...note }) => note);
  }

  async moves(query: MovesQuery): Promise<MoveView[]> {
    return this.#parts.journal.list(query);
  }

  async audit(query: { readonly limit: number; readonly before?: number | undefined }): Promise<AuditRow[]> {
    return this.#parts.audit.list(query);
  }

  /** The alarm: goes on with whatever is under way. */
  async wake(): Promise<void> {
    this.#armAgain();
    this.#turn();
    // The alarm is used up when this resolves.
    await this.#options.storage.barrier();
  }

  /** Ends this process of the coordinator; the journal has it all. */
  stop(): void {
    this.#parts.driver.stop();
    this.#parts.spread.stop();
    this.#parts.revocations.stop();
    this.#cancelTimer?.();
    this.#rounds.stop();
  }

  #wants(trigger: string): void {
    this.#parts.schedule.want(trigger);
    this.#turn();
  }

  #ended(move: Move | undefined): void {
    if (!this.#planned) this.#parts.schedule.goOn();
    // A move that was undone is planned again, if it is still wanted.
    if (move?.state.phase === "undone" || move?.state.phase === "dropping") {
      this.#parts.schedule.wantIn(this.#parts.map.note(move.order.shard).retryAt + 1 - this.#options.clock.now());
    }
    this.#turn();
  }

  /** Whether moves wait to be begun. */
  get #planned(): boolean {
    return [...this.#parts.journal.open.values()].some(({ state }) => state.phase === "planned");
  }

  /** One round: the shard count, the plan, the moves; then the alarm for the next. */
  #turn(): void {
    this.#rounds.turn();
  }

  async #round(): Promise<void> {
    if (this.#parts.map.genesis === undefined) return;
    this.#parts.spread.go();
    this.#parts.revocations.go();
    // A step may wait long for partitions; should this process end meanwhile, the next one takes over.
    if (this.#parts.resharder.busy) this.#armAgain();
    const resharding = await this.#parts.resharder.step();
    const due = this.#parts.schedule.take(this.#parts.resharder.busy || this.#planned);
    if (due !== undefined) this.#plan(due);
    this.#parts.driver.drive(this.#parts.policy.maxConcurrent);
    this.#arm(resharding);
  }

  #plan(due: DuePlan): void {
    try {
      const planned = this.#parts.rebalancer.rebalance(due.trigger, due.changes);
      this.#parts.schedule.made({ ...planned, changes: due.changes ?? {} });
    } catch (error) {
      this.#forget();
      this.#parts.schedule.failed(due);
      this.#options.warn("a plan failed; it is made again soon", { trigger: due.trigger, error });
    }
  }

  /** A transaction may have been rolled back: what is in memory is read again. */
  #forget(): void {
    this.#parts.map.forget();
    this.#parts.journal.forget();
  }

  #armAgain(): void {
    const { storage, clock } = this.#options;
    if (this.#parts.map.genesis !== undefined) storage.wakeAt(clock.now() + WAKE_AFTER);
  }

  /** The alarm survives this process; the timer is sooner. */
  #arm(resharding: boolean): void {
    const { storage, clock } = this.#options;
    const now = clock.now();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const busy = resharding || this.#parts.journal.open.size > 0;
    const times = [this.#parts.schedule.at, this.#parts.spread.due, this.#parts.revocations.due].filter(
      (time) => time !== undefined,
    );
    const next = times.length === 0 ? undefined : Math.min(...times);
    if (busy) this.#armAgain();
    else storage.wakeAt(next ?? null);
    const soon = resharding ? STEP_AGAIN : next === undefined ? undefined : next - now;
    if (soon !== undefined && soon <= WAKE_AFTER) {
      this.#cancelTimer = clock.after(Math.max(0, soon), () => this.#turn());
    }
  }
}
