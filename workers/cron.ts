import type { Observer } from "../src/partition/turns/ports.ts";
import type { HostServices } from "./host-services.ts";

/** The cron trigger that each task waits for. */
export interface Crons {
  /** Drives pending calls that nobody drives ([CALL10], [CALL11]). Default: each minute. */
  readonly reconcile: string;
  /** Wakes the coordinator and the partitions, in case the platform lost an alarm. Default: each hour. */
  readonly wake: string;
  /** Removes what is older than the retention ([CALL9]). Default: each day. */
  readonly cleanUp: string;
}

export const DEFAULT_CRONS: Crons = { reconcile: "* * * * *", wake: "7 * * * *", cleanUp: "23 3 * * *" };

const TASKS = ["reconcile", "wake", "cleanUp"] as const;
type Task = (typeof TASKS)[number];

/** What is to be done at this cron ([HOST3]); nothing at one that is not Edgeverse's. */
export function tasksOf(crons: Crons, cron: string): readonly Task[] {
  return TASKS.filter((task) => crons[task] === cron);
}

/** Does what a cron trigger is for. A failure is logged and left to the next time. */
export async function runCron(
  tasks: readonly Task[],
  { deployment, router, maintenance }: HostServices,
  observer: Observer,
): Promise<void> {
  const attempt = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      observer.warn(`cron could not ${what}`, { error });
    }
  };
  const { connect, coordinator } = deployment;
  // Partitions may have been added since the settings were made.
  await router.refresh();
  if (tasks.includes("reconcile") && deployment.log !== undefined)
    await attempt("reconcile the log", () => maintenance.reconcile());
  if (tasks.includes("wake")) {
    await Promise.all([
      attempt("wake the coordinator", () => coordinator().wake()),
      ...router.map.partitions.map((name) => attempt(`wake partition ${name}`, () => connect(name).wake())),
    ]);
  }
  if (tasks.includes("cleanUp")) {
    await attempt("clean up", () => maintenance.cleanUp({ olderThan: null, dryRun: false }));
  }
}
