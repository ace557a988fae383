import type { Entry } from "./call-entry.ts";

interface Queue {
  readonly entries: Entry[];
  pumping: boolean;
  /** The first could have been driven, but its shard was paused. */
  held: boolean;
}

/**
 * The calls of each object in order of acceptance ([CALL4]): the first is driven until it is done, then the next. Calls that
 * end at once are worked off in a loop, however many wait.
 */
export class CallQueues {
  readonly #queues = new Map<string, Queue>();
  readonly #drive: (entry: Entry) => void;
  readonly #paused: (queue: readonly Entry[]) => boolean;

  /** @param paused whether the first of these, all of one object, may not start now */
  constructor(drive: (entry: Entry) => void, paused: (queue: readonly Entry[]) => boolean) {
    this.#drive = drive;
    this.#paused = paused;
  }

  /** Drives the first call of its object once more. */
  retry(entry: Entry): void {
    const queue = this.#queues.get(entry.activation.key);
    if (queue?.entries[0] === entry) this.#pump(entry.activation.key, queue);
  }

  add(entry: Entry): void {
    const { key } = entry.activation;
    const queue = this.#queue(key);
    queue.entries.push(entry);
    if (queue.entries.length === 1) this.#pump(key, queue);
    else this.lookAgain(entry);
  }

  /** A call has come, or somebody waits for one: the line that was held back may have to go on. */
  lookAgain({ activation: { key } }: Entry): void {
    const queue = this.#queues.get(key);
    if (queue?.held === true) this.#pump(key, queue);
  }

  /** Puts one that was done back where it was, unless it is there. It is driven by `retry`. */
  putBack(entry: Entry): void {
    const { entries } = this.#queue(entry.activation.key);
    if (entries.includes(entry)) return;
    const place = entries.findIndex(({ stored }) => stored.seq > entry.stored.seq);
    entries.splice(place < 0 ? entries.length : place, 0, entry);
  }

  /** The calls in line at its object, with itself. */
  line({ activation: { key } }: Entry): readonly Entry[] {
    return this.#queues.get(key)?.entries ?? [];
  }

  /** Takes one out of the line of its object: it has its outcome, or leaves without one. The next one may start. */
  done(entry: Entry): void {
    const { key } = entry.activation;
    const queue = this.#queues.get(key);
    if (queue === undefined) return;
    const place = queue.entries.indexOf(entry);
    if (place < 0) return;
    queue.entries.splice(place, 1);
    if (place === 0) this.#pump(key, queue);
  }

  #queue(key: string): Queue {
    const queue = this.#queues.get(key) ?? { entries: [], pumping: false, held: false };
    this.#queues.set(key, queue);
    return queue;
  }

  #pump(key: string, queue: Queue): void {
    if (queue.pumping) return;
    queue.pumping = true;
    try {
      let driven: Entry | undefined;
      for (let first = queue.entries[0]; first !== undefined && first !== driven; first = queue.entries[0]) {
        driven = first;
        queue.held = this.#paused(queue.entries);
        if (queue.held) break;
        this.#drive(first);
      }
    } finally {
      queue.pumping = false;
    }
    if (queue.entries.length === 0) this.#queues.delete(key);
  }
}
