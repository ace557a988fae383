import { Cron, type CronOptions } from "croner";

const MINUTE = 60_000;

/** As Cloudflare reads an expression: five fields, in UTC, Sunday is 1; when both day fields are restricted, either is enough. */
const AS_CLOUDFLARE = {
  mode: "5-part",
  timezone: "UTC",
  alternativeWeekdays: true,
  // "5/10" means from 5 on, every 10.
  sloppyRanges: true,
} as const satisfies CronOptions;

/** @throws Error when the expression can't be read */
export function checkCron(expression: string): void {
  try {
    new Cron(expression, AS_CLOUDFLARE);
  } catch (error) {
    throw new Error(`Cannot read cron "${expression}": ${(error as Error).message}`);
  }
}

export interface Crons {
  readonly expressions: readonly string[];
  /** Runs the worker's `scheduled` handler and resolves when it has ended; rejects when it failed. */
  fire(expression: string, scheduledTime: number): Promise<void>;
  log(message: string): void;
}

/**
 * Fires crons at the start of their minutes until stopped. A cron whose last run hasn't ended is skipped, as two runs of one
 * cron beside each other is what no handler expects. Runs that a machine slept through are made up for by one.
 * The expressions have been checked by `readWorkerSettings`.
 */
export function startCron({ expressions, fire, log }: Crons): { stop(): void } {
  const jobs = expressions.map((expression) => {
    const options: CronOptions = {
      ...AS_CLOUDFLARE,
      protect: () => log(`cron "${expression}" skipped: its last run has not ended`),
      catch: (error) => log(`cron "${expression}" failed: ${error instanceof Error ? error.message : error}`),
    };
    return new Cron(expression, options, () => fire(expression, Math.floor(Date.now() / MINUTE) * MINUTE));
  });
  return {
    stop: () => {
      for (const job of jobs) job.stop();
    },
  };
}
