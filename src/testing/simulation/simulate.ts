import { fnv1a32 } from "../../identity/fnv1a.ts";
import { CallSpans } from "./call-spans.ts";
import { Clients } from "./clients.ts";
import { checkDriven } from "./driven-checks.ts";
import { checkEnd } from "./end-checks.ts";
import { History } from "./history.ts";
import { Operations } from "./operations.ts";
import { checkOwners } from "./owner-checks.ts";
import { PushRun } from "./push/push-run.ts";
import { pushSettingsOf } from "./push/push-settings.ts";
import { isPushStep } from "./push/push-step.ts";
import { Random } from "./random.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { FencedError } from "./sim-storage.ts";
import type { Step } from "./step.ts";
import { stepsOf } from "./steps.ts";
import { unfinished } from "./unfinished.ts";
import { Violation } from "./violation.ts";
import type { Workload } from "./workload.ts";
import { WorkloadRun } from "./workload-run.ts";
import { World } from "./world.ts";

export interface SimulateOptions<Answer = unknown> {
  readonly seed: number;
  /** Only these of the seed's steps, by number; all when left out. */
  readonly only?: readonly number[] | undefined;
  /** An author's own objects and calls, beside the simulation's own. */
  readonly workload?: Workload<Answer> | undefined;
  /** Told of every line of the trace. */
  readonly onTrace?: ((line: string) => void) | undefined;
}

export interface SimulationStats {
  readonly events: number;
  readonly calls: number;
  readonly answered: number;
  readonly steps: number;
  readonly starts: number;
  readonly moves: number;
  /** Ms of simulated time. */
  readonly time: number;
}

export interface SimulationResult {
  readonly seed: number;
  readonly ok: boolean;
  /** What was promised and not kept. */
  readonly violation?: string;
  /** Of everything that happened: the same for the same seed. */
  readonly hash: string;
  readonly stats: SimulationStats;
}

/** Ms of peace at a time, and how often, until everything has ended. */
const PEACE = 3_000;
const MOST_ROUNDS = 120;
/** Rounds before cron comes to help: alarms alone must have woken everyone by then. Nobody reconciles for the partitions. */
const CRON_FROM = 5;

/** What a seed stands for. */
export function planOf(seed: number, authorCalls = 0): { settings: Settings; steps: Step[] } {
  const random = new Random(seed);
  const authors = authorCalls > 0;
  const settings = settingsOf(random.fork("settings"), authors, pushSettingsOf(random.fork("push"), authors));
  return { settings, steps: stepsOf(random.fork("steps"), settings, authorCalls) };
}

/**
 * Lives through one seed: a cluster, its clients and its troubles; then peace, and a check of everything that was promised.
 * The same seed gives the same trace, event by event. One at a time in a process.
 *
 * @example
 * const { ok, violation } = await simulate({ seed: 7 });
 */
export async function simulate<Answer = unknown>(options: SimulateOptions<Answer>): Promise<SimulationResult> {
  const { seed, only, workload, onTrace } = options;
  const { settings, steps } = planOf(seed, workload?.calls);
  let hash = 0;
  let lines = 0;
  const random = new Random(seed);
  const world = new World(
    settings,
    random.fork("world"),
    (line) => {
      lines++;
      hash = fnv1a32(`${hash} ${line}`);
      onTrace?.(line);
    },
    workload?.objects,
  );
  const history = new History();
  const clients = new Clients(world, history);
  const operations = new Operations(world, clients);
  const authors = workload === undefined ? undefined : new WorkloadRun(workload, clients, random.fork("workload"));
  const push = new PushRun(world, clients, random.fork("push"));
  const spans = new CallSpans();
  let violation: string | undefined;
  const unhandled = (error: unknown) => {
    if (!(error instanceof FencedError)) world.faults.push(error);
  };
  process.on("unhandledRejection", unhandled);
  const afterEach = () => {
    try {
      checkOwners(world);
      spans.observe(world);
      authors?.audit(world);
      if (world.faults[0] instanceof Violation) throw world.faults[0];
      if (world.faults.length > 0) throw new Violation(`something threw: ${describeFault(world.faults[0])}`);
    } catch (error) {
      violation ??= messageOf(error);
    }
    return violation === undefined;
  };
  let moves = 0;
  try {
    steps.forEach((step, index) => {
      if (only !== undefined && !only.includes(index)) return;
      world.time.at(step.at, () => {
        if (step.kind === "author") authors?.begin(step.n, step.edge);
        else if (step.kind === "call") clients.call(step);
        else if (step.kind === "again") clients.again(step.pick, step.edge, step.timeout);
        else if (isPushStep(step)) push.run(step);
        else operations.run(step);
      });
    });
    await world.time.run(settings.duration, afterEach);
    operations.heal();
    world.sinks.heal();
    push.heal();
    const run = (ms: number) => world.time.run(world.time.now + ms, afterEach);
    const quiet = async () => push.isQuiet && (await isQuiet(world, history));
    let rests = 0;
    for (let round = 0; round < MOST_ROUNDS && rests < 2 && violation === undefined; round++) {
      if (round === CRON_FROM) checkDriven(world);
      if (round >= CRON_FROM && (round - CRON_FROM) % 10 === 0) operations.wake();
      await run(PEACE);
      rests = round > CRON_FROM && (await quiet()) ? rests + 1 : 0;
    }
    if (violation === undefined) {
      const checked = checkEnd({ world, history, clients, operations, spans, quiet, run });
      moves = await checked;
      await push.check(run);
      await authors?.check(run);
    }
  } catch (error) {
    violation ??= messageOf(error);
  } finally {
    process.off("unhandledRejection", unhandled);
    world.close();
  }
  const stats = {
    events: world.time.events,
    calls: history.sent.length,
    steps: only?.length ?? steps.length,
    moves,
    answered: history.sent.filter(({ replies }) => replies.length > 0).length,
    starts: [...world.machines.values()].reduce((sum, machine) => sum + machine.starts, 0),
    time: Math.round(world.time.now),
  };
  const result = { seed, ok: violation === undefined, hash: `${lines}-${hash.toString(16)}`, stats };
  return violation === undefined ? result : { ...result, violation };
}

/** Nothing is under way any more, as far as the databases tell. */
async function isQuiet(world: World, history: History): Promise<boolean> {
  const count = (disk: { query(sql: string): unknown[] }, sql: string) => disk.query(sql).length;
  for (const { disk } of world.partitions) {
    if (count(disk, "SELECT 1 FROM sqlite_master WHERE name = 'changes'") === 0) continue;
    if (
      count(
        disk,
        "SELECT 1 FROM pending UNION ALL SELECT 1 FROM backlog UNION ALL SELECT 1 FROM outbox UNION ALL SELECT 1 FROM reminders UNION ALL SELECT 1 FROM events LIMIT 1",
      ) > 0
    )
      return false;
    if (count(disk, "SELECT 1 FROM shards WHERE dirty = 1 OR state NOT IN ('owned', 'gone') LIMIT 1") > 0) return false;
  }
  if (unfinished(world.coordinator.disk) !== undefined) return false;
  if ((await world.log.list({ status: "pending", limit: 1 })).calls.length > 0) return false;
  return history.sent.every(({ replies, copies }) => replies.length === copies);
}

function describeFault(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}

function messageOf(error: unknown): string {
  if (error instanceof Violation) return error.message;
  return `the simulation failed: ${describeFault(error)}`;
}
