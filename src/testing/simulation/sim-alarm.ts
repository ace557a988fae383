import type { Cancel } from "../../platform/ports.ts";
import { invocation, PLATFORM } from "../platform-limits.ts";
import type { Random } from "./random.ts";
import { BEGINNING, type SimTime } from "./sim-clock.ts";
import type { SimProcess } from "./sim-process.ts";
import type { SimDisk } from "./sim-storage.ts";

/** Ms until an alarm is rung again whose handler failed; twice as long each time. */
const RING_AGAIN = 2_000;

/** Where it rings. */
interface Machine {
  readonly disk: SimDisk;
  /** The process, started if there is none; undefined if it can't be. */
  running(): SimProcess | undefined;
}

/**
 * The alarm of a machine, as the platform rings it: at its time or later, at least once, and again when the process ends
 * under it or its handler fails. After too many failures in a row it is silent until it is set anew.
 */
export class SimAlarm {
  readonly #machine: Machine;
  readonly #time: SimTime;
  readonly #random: Random;
  readonly #wake: (process: SimProcess) => Promise<unknown>;
  #armed: { readonly at: number; readonly cancel: Cancel } | undefined;
  #failures = 0;

  constructor(machine: Machine, time: SimTime, random: Random, wake: (process: SimProcess) => Promise<unknown>) {
    this.#machine = machine;
    this.#time = time;
    this.#random = random;
    this.#wake = wake;
  }

  /** The disk's alarm is another. */
  set(): void {
    const { alarm } = this.#machine.disk;
    if (alarm === this.#armed?.at) return;
    this.#armed?.cancel();
    this.#armed = undefined;
    if (alarm === null) return;
    const late = this.#random.chance(0.1) ? this.#random.between(0, 1_000) : 0;
    this.#armed = { at: alarm, cancel: this.#time.at(alarm - BEGINNING + late, () => this.#ring(alarm)) };
  }

  #ring(at: number): void {
    this.#armed = undefined;
    const { disk } = this.#machine;
    if (disk.alarm !== at) return;
    const process = this.#machine.running();
    process?.run(() => {
      disk.alarm = null;
      this.#call(process);
    });
    if (this.#random.chance(0.05)) {
      // Nobody knows that it has run: another one may run beside it.
      this.#time.after(this.#random.between(0, 100), () => {
        const again = this.#machine.running();
        again?.run(() => this.#call(again));
      });
    }
    if (process?.alive !== true || process.frozen) {
      // Still to come: looked at once more, should the process end before it thaws.
      this.#time.after(RING_AGAIN, () => {
        if (disk.alarm === at) this.#ring(at);
      });
    }
  }

  #call(process: SimProcess): void {
    let done = false;
    const over = () => {
      process.unanswered.delete(ended);
      if (done) return false;
      done = true;
      return true;
    };
    const ended = () => {
      if (over()) this.#again(RING_AGAIN);
    };
    const failed = () => {
      if (over() && this.#failures < PLATFORM.alarmRetries) this.#again(RING_AGAIN * 2 ** this.#failures++);
    };
    process.unanswered.add(ended);
    invocation(() => this.#wake(process)).then(() => {
      this.#failures = 0;
      process.leave(over);
    }, failed);
  }

  #again(delay: number): void {
    this.#time.after(delay, () => {
      const { disk } = this.#machine;
      if (disk.alarm === null) disk.wakeAt(Math.floor(BEGINNING + this.#time.now));
    });
  }
}
