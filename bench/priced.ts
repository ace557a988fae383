import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const state = z.object({ value: z.number().int().default(0) });

/** A counter that is found by its value: each call changes its entry in one index, and leaves the one in another. */
export class Priced extends VirtualObject.withState(state) {
  static override readonly type = "Priced";
  static override readonly index = {
    value: ({ value }: z.output<typeof state>) => value,
    used: ({ value }: z.output<typeof state>) => value > 0,
  };
  static override readonly methods = { add: method({ request: z.object({ by: z.number().int() }) }) };

  add({ by }: { by: number }) {
    this.state.value += by;
    return { value: this.state.value };
  }
}
