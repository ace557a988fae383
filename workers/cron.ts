import type { Observer } from "../src/partition/turns/ports.ts";
import type { Maintenance } from "../src/reliable/maintenance.ts";
import type { Connect } from "../src/router/ports.ts";

/** What each cron of wrangler.toml is for. Any other one reconciles. */
export const CLEANUP_CRON = "23 3 * * *";
export const SWEEP_CRON = "7 * * * *";

interface CronParts {
  readonly maintenance: Maintenance | undefined;
  readonly partitions: readonly string[];
  readonly connect: Connect;
  readonly wakeCoordinator: () => Promise<void>;
  readonly observer: Observer;
}

/**
 * What the cron trigger does. Every minute: drives pending calls that nobody drives ([CALL10], [CALL11]). Every hour: wakes
 * the coordinator and the partitions, in case the platform lost an alarm. Every day: cleans up ([CALL9]). A failure is logged and left to the
 * next run.
 */
export async function runCron(controller: { readonly cron: string }, parts: CronParts): Promise<void> {
  const { maintenance, partitions, connect, observer, wakeCoordinator } = parts;
  const attempt = async (what: string, action: () => Promise<unknown> | undefined) => {
    try {
      await action();
    } catch (error) {
      observer.warn(`cron could not ${what}`, { error });
    }
  };
  switch (controller.cron) {
    case CLEANUP_CRON:
      return attempt("clean up", () => maintenance?.cleanUp({ olderThan: null, dryRun: false }));
    case SWEEP_CRON:
      await Promise.all([
        attempt("wake the coordinator", wakeCoordinator),
        ...partitions.map((name) => attempt(`wake partition ${name}`, () => connect(name).wake())),
      ]);
      return;
    default:
      return attempt("reconcile the log", () => maintenance?.reconcile());
  }
}
