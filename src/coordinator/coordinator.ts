import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { LoadReport } from "../placement/load-report.ts";
import type { Policy } from "../placement/plan-types.ts";
import { checkGenesis, type Genesis, type MapDocument } from "../placement/shard-map.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import type { Connect } from "../router/ports.ts";
import { Audit } from "./audit.ts";
import { ClusterMap } from "./cluster-map.ts";
import { CommandRunner } from "./command-runner.ts";
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
  ShardNote,
} from "./commands.ts";
import { Loads } from "./loads.ts";
import { Membership } from "./membership.ts";
import { MoveDriver } from "./move-driver.ts";
import { type Move, MoveJournal } from "./move-journal.ts";
import { type DuePlan, PlanSchedule } from "./plan-schedule.ts";
import { Rebalancer } from "./rebalancer.ts";
import { Resharder } from "./resharder.ts";
import { Silence } from "./silence.ts";
import { migrateCoordinator } from "./tables.ts";

export interface CoordinatorStatus {
  readonly bootstrapped: boolean;
  readonly bootstrappedAt: number | null;
  readonly mapVersion: number;
}

export interface CoordinatorOptions {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly connect: Connect;
  readonly policy: Policy;
  /** The genesis of a cluster that an operator changes before its first call; without it such a change is refused. */
  readonly proposal?: Genesis;
  /** Ms without progress, and in all, after which a move is undone. */
  readonly limits: { readonly stall: number; readonly longest: number };
  readonly warn: (event: string, details: Readonly<Record<string, unknown>>) => void;
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
  readonly #map: ClusterMap;
  readonly #journal: MoveJournal;
  readonly #loads: Loads;
  readonly #driver: MoveDriver;
  readonly #rebalancer: Rebalancer;
  readonly #resharder: Resharder;
  readonly #members: Membership;
  readonly #audit: Audit;
  readonly #commands: CommandRunner;
  readonly #schedule: PlanSchedule;
  #turning = false;
  #again = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: CoordinatorOptions) {
    const { storage, clock, connect, policy, limits, warn } = options;
    this.#options = options;
    migrateCoordinator(storage);
    this.#map = new ClusterMap(storage, clock);
    this.#schedule = new PlanSchedule(clock);
    const silence = new Silence(clock);
    const parts = { storage, clock, map: this.#map, connect, silence };
    this.#journal = new MoveJournal(storage, clock);
    const journal = this.#journal;
    this.#members = new Membership({ ...parts, journal });
    this.#loads = new Loads({ ...parts, policy });
    this.#rebalancer = new Rebalancer({ ...parts, journal, policy, loads: this.#loads });
    this.#resharder = new Resharder({ ...parts, journal });
    this.#audit = new Audit(storage, clock);
    this.#driver = new MoveDriver({
      ...parts,
      journal,
      limits,
      warn,
      onEnded: (move) => this.#ended(move),
      onSilence: () => this.#wants("silence"),
    });
    this.#commands = new CommandRunner({
      ...parts,
      journal,
      driver: this.#driver,
      members: this.#members,
      rebalancer: this.#rebalancer,
      resharder: this.#resharder,
      cooldown: policy.cooldown,
      onChanged: (trigger) => this.#wants(trigger),
      onOrdered: (rest) => {
        if (rest !== undefined) this.#schedule.made(rest);
        this.#turn();
      },
    });
    const { genesis } = this.#map;
    if (genesis !== undefined && this.#map.everyone.length === 0) this.#map.adopt(genesis);
  }

  /**
   * Bootstraps the cluster with the first proposal it gets; later proposals change nothing.
   * @throws Error when the proposal is malformed
   */
  bootstrap(proposal: Genesis): { readonly genesis: Genesis; readonly shards: number } {
    const { genesis } = this.#map;
    if (genesis !== undefined) return { genesis, shards: this.#map.shards };
    checkGenesis(proposal);
    this.#map.bootstrap(proposal);
    return { genesis: proposal, shards: proposal.shards };
  }

  /** The newest map; undefined before the bootstrap. */
  map(): MapDocument | undefined {
    return this.#map.document();
  }

  status(): CoordinatorStatus {
    const { bootstrappedAt } = this.#map;
    return {
      bootstrapped: bootstrappedAt !== null,
      bootstrappedAt,
      mapVersion: bootstrappedAt === null ? 0 : this.#map.version,
    };
  }

  /** What a partition had to do. */
  async report(report: LoadReport): Promise<void> {
    const trigger = this.#loads.report(report);
    if (trigger !== undefined) this.#wants(trigger);
  }

  /** Carries out a command and leaves a row in the audit. Never rejects. */
  async execute(command: AdminCommand, operator: Operator): Promise<AdminResult> {
    let answer: AdminResult;
    try {
      if (this.#map.genesis === undefined && this.#options.proposal !== undefined)
        this.bootstrap(this.#options.proposal);
      if (this.#map.genesis === undefined)
        throw new EdgeverseError("UNAVAILABLE", "The cluster is not bootstrapped yet");
      if (command.kind === "rebalance" && command.strategy === "load") await this.#loads.ask();
      answer = { ok: true, result: this.#commands.run(command) };
    } catch (error) {
      this.#forget();
      if (!(error instanceof EdgeverseError)) this.#options.warn("a command failed", { command, error });
      answer = { ok: false, error: EdgeverseError.from(error).toWire() };
    }
    this.#audit.add(command, operator, answer.ok ? "done" : answer.error.code);
    await this.#options.storage.barrier();
    return answer;
  }

  /** Leaves a row in the audit of a command that was carried out elsewhere. */
  async auditCall(command: CallCommand | EventCommand, operator: Operator, outcome: string): Promise<void> {
    this.#audit.add(command, operator, outcome);
    await this.#options.storage.barrier();
  }

  async view(): Promise<CoordinatorView> {
    return {
      mapVersion: this.#map.version,
      members: this.#members.views(),
      moves: this.#journal.counts(),
      reshard: this.#resharder.view(),
      decisions: this.#rebalancer.decisions(20),
      decisionCounts: this.#rebalancer.decisionCounts,
    };
  }

  async notes(): Promise<ShardNote[]> {
    return [...this.#map.notes.values()].map(({ retryAt: _, ...note }) => note);
  }

  async moves(query: MovesQuery): Promise<MoveView[]> {
    return this.#journal.list(query);
  }

  async audit(query: { readonly limit: number; readonly before?: number | undefined }): Promise<AuditRow[]> {
    return this.#audit.list(query);
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
    this.#driver.stop();
    this.#cancelTimer?.();
    this.#turning = true;
  }

  #wants(trigger: string): void {
    this.#schedule.want(trigger);
    this.#turn();
  }

  #ended(move: Move | undefined): void {
    if (!this.#planned) this.#schedule.goOn();
    // A move that was undone is planned again, if it is still wanted.
    if (move?.state.phase === "undone" || move?.state.phase === "dropping") {
      this.#schedule.wantIn(this.#map.note(move.order.shard).retryAt + 1 - this.#options.clock.now());
    }
    this.#turn();
  }

  /** Whether moves wait to be begun. */
  get #planned(): boolean {
    return [...this.#journal.open.values()].some(({ state }) => state.phase === "planned");
  }

  /** One round: the shard count, the plan, the moves; then the alarm for the next. */
  #turn(): void {
    if (this.#turning) {
      this.#again = true;
      return;
    }
    this.#turning = true;
    void this.#round()
      .catch((error: unknown) => this.#options.warn("the coordinator can't go on", { error }))
      .finally(() => {
        this.#turning = false;
        if (!this.#again) return;
        this.#again = false;
        this.#turn();
      });
  }

  async #round(): Promise<void> {
    if (this.#map.genesis === undefined) return;
    const { policy } = this.#options;
    // A step may wait long for partitions; should this process end meanwhile, the next one takes over.
    if (this.#resharder.busy) this.#armAgain();
    const resharding = await this.#resharder.step();
    const due = this.#schedule.take(this.#resharder.busy || this.#planned);
    if (due !== undefined) this.#plan(due);
    this.#driver.drive(policy.maxConcurrent);
    this.#arm(resharding);
  }

  #plan(due: DuePlan): void {
    try {
      const planned = this.#rebalancer.rebalance(due.trigger, due.changes);
      this.#schedule.made({ ...planned, changes: due.changes ?? {} });
    } catch (error) {
      this.#forget();
      this.#schedule.failed(due);
      this.#options.warn("a plan failed; it is made again soon", { trigger: due.trigger, error });
    }
  }

  /** A transaction may have been rolled back: what is in memory is read again. */
  #forget(): void {
    this.#map.forget();
    this.#journal.forget();
  }

  #armAgain(): void {
    const { storage, clock } = this.#options;
    if (this.#map.genesis !== undefined) storage.wakeAt(clock.now() + WAKE_AFTER);
  }

  /** The alarm survives this process; the timer is sooner. */
  #arm(resharding: boolean): void {
    const { storage, clock } = this.#options;
    const now = clock.now();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const busy = resharding || this.#journal.open.size > 0;
    if (busy) this.#armAgain();
    else storage.wakeAt(this.#schedule.at ?? null);
    const soon = resharding ? STEP_AGAIN : this.#schedule.at === undefined ? undefined : this.#schedule.at - now;
    if (soon !== undefined && soon <= WAKE_AFTER) {
      this.#cancelTimer = clock.after(Math.max(0, soon), () => this.#turn());
    }
  }
}
