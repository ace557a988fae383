import type { Clock } from "../platform/ports.ts";

/**
 * What one run of upkeep may spend: the platform ends an invocation that makes too many subrequests (statements to Postgres,
 * messages to partitions), and nobody waits for a run for ever.
 */
export class UpkeepBudget {
  readonly #clock: Clock;
  readonly #until: number;
  #left: number;

  constructor(clock: Clock, { messages, time }: { readonly messages: number; readonly time: number }) {
    this.#clock = clock;
    this.#until = clock.now() + time;
    this.#left = messages;
  }

  /** Takes so many subrequests; false, and none are taken, when there are not so many or the time is up. */
  take(subrequests = 1): boolean {
    if (this.#left < subrequests || this.#clock.now() >= this.#until) return false;
    this.#left -= subrequests;
    return true;
  }
}
