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
  /** Partitions whose silence was told. */
  readonly #told = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An order sent at `sentAt` got no answer. Says whether that makes the partition silent: true once. */
  failed(partition: string, sentAt: number): boolean {
    if (!this.#since.has(partition)) this.#since.set(partition, sentAt);
    if (this.#told.has(partition) || !this.has(partition)) return false;
    this.#told.add(partition);
    return true;
  }

  /** Says whether the partition was silent until now. */
  answered(partition: string): boolean {
    this.#since.delete(partition);
    return this.#told.delete(partition);
  }

  has(partition: string): boolean {
    const since = this.#since.get(partition);
    return since !== undefined && this.#clock.now() - since >= SILENT_AFTER;
  }
}
