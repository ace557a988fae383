import type { Clock } from "../platform/ports.ts";

/** Ms without an answer after which a partition is silent. */
const SILENT_AFTER = 5_000;

/**
 * Which partitions do not answer the coordinator's orders. Known in memory only: a new process learns it again from the
 * moves that wait for them.
 */
export class Silence {
  readonly #clock: Clock;
  /** By partition, when the first of the orders that got no answer was sent. */
  readonly #since = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An order sent at `sentAt` got no answer. */
  failed(partition: string, sentAt: number): void {
    if (!this.#since.has(partition)) this.#since.set(partition, sentAt);
  }

  /** Says whether the partition was silent until now. */
  answered(partition: string): boolean {
    const was = this.has(partition);
    this.#since.delete(partition);
    return was;
  }

  has(partition: string): boolean {
    const since = this.#since.get(partition);
    return since !== undefined && this.#clock.now() - since >= SILENT_AFTER;
  }
}
