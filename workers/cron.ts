import { clock } from "../durable/platform.ts";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";
import type { Observer } from "../src/partition/turns/ports.ts";
import { within } from "../src/platform/within.ts";
import { rotated } from "../src/reliable/owners.ts";
import type { HostServices } from "./host-services.ts";

/** The cron trigger that each task waits for. */
export interface Crons {
  /**
   * Drives pending calls that nobody drives ([CALL10], [CALL11]). Default: none, since each look wakes a Postgres that sleeps.
   * The cleanup does it as well.
   */
  readonly reconcile: string | undefined;
  /** Wakes the coordinator and the partitions, in case the platform lost an alarm. Default: each hour. */
  readonly wake: string;
  /** Removes what is older than the retention ([CALL9]). Default: each day. */
  readonly cleanUp: string;
}

export const DEFAULT_CRONS: Crons = { reconcile: undefined, wake: "7 * * * *", cleanUp: "23 3 * * *" };

const TASKS = ["reconcile", "wake", "cleanUp"] as const;
type Task = (typeof TASKS)[number];

/** Ms that one partition may take to wake up: it ships what waits for the log. */
const WAKE_WITHIN = 30_000;

/** What is to be done at this cron ([HOST3]); nothing at one that is not Edgeverse's. */
export function tasksOf(crons: Crons, cron: string): readonly Task[] {
  return TASKS.filter((task) => crons[task] === cron);
}

/** Does what a cron trigger is for. A failure is logged and left to the next time. */
export async function runCron(
  tasks: readonly Task[],
  {
    deployment,
    router,
    maintenance,
    cleanUpEvents,
  }: Pick<HostServices, "deployment" | "router" | "maintenance" | "cleanUpEvents">,
  observer: Observer,
): Promise<void> {
  const attempt = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      observer.warn(`cron could not ${what}`, { error });
    }
  };
  const { connect, coordinator, log, config } = deployment;
  if (tasks.includes("wake")) {
    // Partitions may have been added since the settings were made.
    await router.refresh();
    const partitions = rotated(router.map.partitions, clock.now() / 1_000).slice(0, config.upkeepMessages);
    const late = () => new EdgeverseError("UNAVAILABLE", `It did not wake up within ${WAKE_WITHIN} ms`);
    await Promise.all([
      attempt("wake the coordinator", () => within(clock, WAKE_WITHIN, coordinator().wake(), late)),
      ...partitions.map((name) =>
        attempt(`wake partition ${name}`, () => within(clock, WAKE_WITHIN, connect(name).wake(), late)),
      ),
    ]);
  }
  if (tasks.includes("cleanUp")) {
    await attempt("clean up", () => maintenance.cleanUp({ olderThan: null, dryRun: false }));
    await attempt("remove old events", cleanUpEvents);
  }
  // After a cleanup Postgres is awake already.
  if (log !== undefined && tasks.some((task) => task !== "wake")) {
    await attempt("reconcile the log", () => maintenance.reconcile());
  }
}
