import { BEGINNING, ProcessClock, type Runner, type SimTime } from "./sim-clock.ts";
import { DiskHandle, type Durability, type SimDisk } from "./sim-storage.ts";

/** What a process answers messages with: one asynchronous method for each kind. */
export type Service = Readonly<Record<string, (...args: never[]) => unknown>>;

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

  constructor(name: string, time: SimTime, options: { skew: number; disk?: SimDisk; durability?: Durability }) {
    this.name = name;
    this.#time = time;
    this.clock = new ProcessClock(time, this, options.skew);
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

/** Where processes of one name run, one after the other, on one disk. */
export class Machine {
  readonly name: string;
  readonly disk: SimDisk;
  process: SimProcess | undefined;
  readonly zombies: SimProcess[] = [];
  readonly #time: SimTime;
  readonly #start: (machine: Machine) => SimProcess;
  readonly #wake: (process: SimProcess) => Promise<unknown>;
  starts = 0;

  /**
   * @param start makes a process; it takes no messages before this returns
   * @param wake is the alarm
   */
  constructor(
    name: string,
    time: SimTime,
    disk: SimDisk,
    program: { start: (machine: Machine) => SimProcess; wake: (process: SimProcess) => Promise<unknown> },
  ) {
    this.name = name;
    this.disk = disk;
    this.#time = time;
    this.#start = program.start;
    this.#wake = program.wake;
    disk.onAlarm = () => this.#alarm();
  }

  /** The process; started by the first message or alarm after another has ended. */
  running(): SimProcess {
    if (this.process?.alive === true) return this.process;
    this.starts++;
    this.process = this.#start(this);
    return this.process;
  }

  crash(): void {
    if (this.process === undefined) return;
    this.process.end();
    this.process = undefined;
    this.disk.crash();
  }

  /** Another process will take the disk, and this one does not know. */
  usurp(): void {
    const { process } = this;
    if (process === undefined) return;
    process.storage?.fence();
    this.zombies.push(process);
    this.process = undefined;
    this.disk.crash();
  }

  bury(): void {
    for (const zombie of this.zombies.splice(0)) zombie.end();
  }

  #armed: { at: number; cancel: () => void } | undefined;

  #alarm(): void {
    const { alarm } = this.disk;
    if (alarm === this.#armed?.at) return;
    this.#armed?.cancel();
    this.#armed = undefined;
    if (alarm === null) return;
    const at = alarm;
    this.#armed = { at, cancel: this.#time.at(at - EPOCH, () => this.#position(at)) };
  }

  /** At least once: an alarm whose handler fails, or whose process ends under it, positions again. */
  #position(at: number): void {
    this.#armed = undefined;
    if (this.disk.alarm !== at) return;
    const process = this.running();
    process.run(() => {
      this.disk.alarm = null;
      let done = false;
      const again = () => {
        if (done) return;
        done = true;
        this.#time.after(RING_AGAIN, () => {
          if (this.disk.alarm === null) this.disk.wakeAt(Math.floor(EPOCH + this.#time.now));
        });
      };
      process.unanswered.add(again);
      const answered = () => {
        done = true;
        process.unanswered.delete(again);
      };
      this.#wake(process).then(() => process.leave(answered), again);
    });
    if (!process.alive || process.frozen) {
      // Still to come: looked at once more, should the process end before it thaws.
      this.#time.after(RING_AGAIN, () => {
        if (this.disk.alarm === at) this.#position(at);
      });
    }
  }
}

/** Ms between two tries of an alarm. */
const RING_AGAIN = 2_000;
/** Ms since the epoch at which time begins. */
const EPOCH = BEGINNING;
