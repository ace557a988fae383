/** Compile-time tests of reminders ([TIME1]): `tsc --noEmit` checks this file, nothing runs it. */
import { type DueReminder, method, type Reminder, type ReminderTime, VirtualObject } from "edgeverse";

export class Bell extends VirtualObject {
  static override readonly type = "Bell";
  static override readonly methods = { set: method(), ring: method({ internal: true }) };

  set() {
    const due: number = this.remind("a", { after: 1_000 }, "ring");
    this.remind("b", { at: due, jitter: 500 }, "ring", { loud: true });
    this.remind("c", { every: 1_000 }, "ring");
    this.remind("d", { cron: "0 9 * * *", timeZone: "Europe/Berlin" }, "ring");
    // @ts-expect-error no such method
    this.remind("e", { after: 1_000 }, "rung");
    // @ts-expect-error no time
    this.remind("f", {}, "ring");
    // @ts-expect-error a time is a number
    const time: ReminderTime = { at: "tomorrow" };
    const forgotten: boolean = this.forget("a");
    const all: Reminder[] = this.reminders();
    return { time, forgotten, all };
  }

  ring(): DueReminder | undefined {
    return this.context.caller.reminder;
  }
}
