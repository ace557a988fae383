import type { ChildExit, GuardedChild } from "./guarded-child.ts";

const RESTARTS_A_MINUTE = 5;
const FIRST_DELAY = 100;
const LONGEST_DELAY = 5_000;

export interface SupervisorOptions {
  start(): GuardedChild;
  log(message: string): void;
  /** The program ended too often: nothing runs any more. */
  onGivingUp(): void;
}

export interface Supervisor {
  /** Process id of the run of the moment. */
  readonly pid: number;
  /** Ends the program for good; see {@link GuardedChild.stop}. */
  stop(graceMs: number): Promise<void>;
}

/** Keeps a program running: starts it again when it ends by itself, a little later each time, and gives up after five times in a minute. */
export function supervise(first: GuardedChild, options: SupervisorOptions): Supervisor {
  let child = first;
  let stopping = false;
  const restarts: number[] = [];

  const watch = async (): Promise<void> => {
    for (;;) {
      const exit = await child.exited;
      if (stopping) return;
      const now = performance.now();
      while (restarts.length > 0 && now - restarts[0]! > 60_000) restarts.shift();
      if (restarts.length >= RESTARTS_A_MINUTE) {
        options.log(`workerd ended (${describeExit(exit)}), ${RESTARTS_A_MINUTE + 1} times within a minute: giving up`);
        return options.onGivingUp();
      }
      const delay = Math.min(FIRST_DELAY * 2 ** restarts.length, LONGEST_DELAY);
      restarts.push(now);
      options.log(`workerd ended (${describeExit(exit)}): starting it again`);
      await new Promise((resolve) => setTimeout(resolve, delay));
      if (stopping) return;
      child = options.start();
    }
  };
  void watch();

  return {
    get pid() {
      return child.pid;
    },
    async stop(graceMs) {
      stopping = true;
      await child.stop(graceMs);
    },
  };
}

/** "signal SIGKILL" or "code 1". */
export function describeExit({ code, signal }: ChildExit): string {
  return signal === null ? `code ${code}` : `signal ${signal}`;
}
