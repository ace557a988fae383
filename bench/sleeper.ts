import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const state = z.object({ woken: z.number().int().default(0), late: z.number().default(0) });
const reminders = z.object({ count: z.number().int(), at: z.number() });

/** Sets many reminders, and keeps how often it was called by them and how late the last call was, in ms. */
export class Sleeper extends VirtualObject.withState(state) {
  static override readonly type = "Sleeper";
  static override readonly methods = {
    sleep: method({ request: reminders }),
    wake: method({ internal: true }),
    get: method({ readonly: true }),
  };

  sleep({ count, at }: z.infer<typeof reminders>) {
    for (let index = 0; index < count; index++) this.remind(`r${index}`, { at }, "wake");
  }

  wake() {
    this.state.woken++;
    this.state.late = this.now() - (this.context.caller.reminder?.due ?? 0);
  }

  get() {
    return { woken: this.state.woken, late: this.state.late };
  }
}
