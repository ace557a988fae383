import { matches } from "./cron-expression.ts";

const MINUTE = 60_000;

export interface CronOptions {
  readonly expressions: readonly string[];
  /** Runs the worker's `scheduled` handler and resolves when it has ended; rejects when it failed. */
  fire(expression: string, scheduledTime: number): Promise<void>;
  log(message: string): void;
}

/**
 * Fires crons at the start of their minutes until stopped. A cron whose last run hasn't ended is skipped, as two runs of one cron beside each
 * other is what no handler expects. A minute that passed while the machine slept is not made up for: the next one does the work.
 * The expressions have been checked by `readWorkerSettings`.
 */
export function startCron({ expressions, fire, log }: CronOptions): { stop(): void } {
  const running = new Set<string>();
  let lastMinute = Math.floor(Date.now() / MINUTE);
  let timer: NodeJS.Timeout;

  const run = async (expression: string, scheduledTime: number): Promise<void> => {
    if (running.has(expression)) return log(`cron "${expression}" skipped: its last run has not ended`);
    running.add(expression);
    try {
      await fire(expression, scheduledTime);
    } catch (error) {
      log(`cron "${expression}" failed: ${error instanceof Error ? error.message : error}`);
    } finally {
      running.delete(expression);
    }
  };
  const tick = (): void => {
    const minute = Math.floor(Date.now() / MINUTE);
    // A timer may fire a little early: the same minute is never served twice.
    if (minute > lastMinute) {
      lastMinute = minute;
      for (const expression of expressions)
        if (matches(expression, new Date(minute * MINUTE))) void run(expression, minute * MINUTE);
    }
    arm();
  };
  const arm = (): void => {
    timer = setTimeout(tick, MINUTE - (Date.now() % MINUTE) + 5);
  };
  arm();
  return { stop: () => clearTimeout(timer) };
}
