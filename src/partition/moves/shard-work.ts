import type { HashRange } from "../storage/shard-rows.ts";

/** What goes on by itself with rows of a shard, wherever that is: messages, reminders, events. */
export interface ShardWork {
  /** When to be woken if this process ends; undefined when there is nothing to do. */
  readonly wakeTime: number | undefined;
  /** Goes on with what is in the table: all of it, or what came with a shard. */
  resume(range?: HashRange): void;
  /** Goes on with what is due. */
  look(): void;
  /** Until `admit` nothing of a shard is taken up, or written: soon it may be another partition's. */
  release(shard: number): void;
  /** The shard stays, or comes back another time. */
  admit(shard: number): void;
  /** Rows of shards that have left are gone. */
  cleared?(): void;
  stop(): void;
}

/** Several kinds of work, as one. */
export class ShardWorks implements ShardWork {
  readonly #works: readonly ShardWork[];

  constructor(works: readonly ShardWork[]) {
    this.#works = works;
  }

  get wakeTime(): number | undefined {
    const times = this.#works.map(({ wakeTime }) => wakeTime).filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  resume(range?: HashRange): void {
    for (const work of this.#works) work.resume(range);
  }

  look(): void {
    for (const work of this.#works) work.look();
  }

  release(shard: number): void {
    for (const work of this.#works) work.release(shard);
  }

  admit(shard: number): void {
    for (const work of this.#works) work.admit(shard);
  }

  cleared(): void {
    for (const work of this.#works) work.cleared?.();
  }

  stop(): void {
    for (const work of this.#works) work.stop();
  }
}
