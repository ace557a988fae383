import type { Random } from "./random.ts";
import { SimAlarm } from "./sim-alarm.ts";
import type { SimTime } from "./sim-clock.ts";
import type { SimProcess } from "./sim-process.ts";
import type { SimDisk } from "./sim-storage.ts";

/** What runs on a machine. */
export interface Program {
  /** Makes a process; it takes no messages before this returns. */
  readonly start: (machine: Machine) => SimProcess;
  /** The alarm. */
  readonly wake: (process: SimProcess) => Promise<unknown>;
}

/** Where processes of one name run, one after the other, on one disk. */
export class Machine {
  readonly name: string;
  readonly disk: SimDisk;
  process: SimProcess | undefined;
  readonly zombies: SimProcess[] = [];
  readonly #program: Program;
  readonly #alarm: SimAlarm;
  starts = 0;

  constructor(name: string, time: SimTime, random: Random, disk: SimDisk, program: Program) {
    this.name = name;
    this.disk = disk;
    this.#program = program;
    this.#alarm = new SimAlarm(this, time, random.fork(`alarm ${name}`), program.wake);
    disk.onAlarm = () => this.#alarm.set();
  }

  /** The process; started by the first message or alarm after another has ended. Undefined while its disk lets none start. */
  running(): SimProcess | undefined {
    if (this.process?.alive === true) return this.process;
    this.starts++;
    try {
      this.process = this.#program.start(this);
    } catch (error) {
      if (this.disk.trouble === undefined) throw error;
      this.process = undefined;
    }
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
}
