import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const state = z.object({ value: z.number().int().default(0) });
const events = { counted: z.object({ value: z.number().int() }) };

/** A counter that tells the outside each of its values. */
export class Teller extends VirtualObject.withState(state, events) {
  static override readonly type = "Teller";
  static override readonly methods = { add: method({ request: z.object({ by: z.number().int() }) }) };

  add({ by }: { by: number }) {
    this.state.value += by;
    this.emit("counted", { value: this.state.value });
    return { value: this.state.value };
  }
}
