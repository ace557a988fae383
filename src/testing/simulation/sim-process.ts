import { ProcessClock, type Runner, type SimTime } from "./sim-clock.ts";
import { DiskHandle, type Durability, type SimDisk } from "./sim-storage.ts";

/** What a process answers messages with: one asynchronous method for each kind. */
export type Service = Readonly<Record<string, (...args: never[]) => unknown>>;

interface ProcessOptions {
  /** Ms that its wall clock is off. */
  readonly skew: number;
  /** Ms that its next timer rings late. */
  readonly lateness?: () => number;
  readonly disk?: SimDisk;
  readonly durability?: Durability;
}

/**
 * One run of a program on a machine. It may end at any event, stand still for a while, or go on as a zombie: replaced, cut
 * off from the disk, and not aware of it.
 */
export class SimProcess implements Runner {
  readonly name: string;
  readonly clock: ProcessClock;
  /** Undefined for one that keeps nothing. */
  readonly storage: DiskHandle | undefined;
  service: Service = {};
  alive = true;
  /** Told when the process ends: requests it has not answered. */
  readonly unanswered = new Set<() => void>();
  readonly #time: SimTime;
  #frozenUntil: number | undefined;
  /** What would have run while it stood still. */
  #held: (() => void)[] = [];

  constructor(name: string, time: SimTime, options: ProcessOptions) {
    this.name = name;
    this.#time = time;
    const { skew, lateness = () => 0 } = options;
    this.clock = new ProcessClock(time, this, skew, lateness);
    const { disk, durability = "barrier" } = options;
    this.storage =
      disk === undefined ? undefined : new DiskHandle(disk, time, durability, (action) => this.run(action));
  }

  get zombie(): boolean {
    return this.alive && this.storage?.fenced === true;
  }

  get frozen(): boolean {
    return this.#frozenUntil !== undefined;
  }

  run(action: () => void): void {
    if (!this.alive) return;
    if (this.frozen) this.#held.push(action);
    else action();
  }

  /** Stands still until then. What would have happened to it meanwhile happens afterwards, in the same order. */
  freeze(until: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil ?? 0, until);
    this.#time.at(until, () => {
      if (this.#frozenUntil !== undefined && this.#time.now >= this.#frozenUntil) this.thaw();
    });
  }

  thaw(): void {
    this.#frozenUntil = undefined;
    for (const action of this.#held.splice(0)) this.#time.at(this.#time.now, () => this.run(action));
  }

  /** Lets something out once what is written by now is durable, unless the process has ended, or lost it, before. */
  leave(deliver: () => void): void {
    const opens = this.storage?.opensAt ?? 0;
    if (opens <= this.#time.now) deliver();
    else
      this.#time.at(opens, () => {
        if (this.alive && this.storage?.fenced !== true) deliver();
      });
  }

  /** Ends it: nothing of it runs from now on. */
  end(): void {
    if (!this.alive) return;
    this.storage?.fence();
    this.alive = false;
    for (const failed of [...this.unanswered]) failed();
    this.unanswered.clear();
  }
}
