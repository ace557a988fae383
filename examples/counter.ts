import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

/** Counts. The invariant: the value is the sum of every `by` that was acknowledged since the last reset. */
export class Counter extends VirtualObject.withState(z.object({ value: z.number().int().default(0) })) {
  static override readonly type = "Counter";
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().int() }) }),
    get: method({ readonly: true }),
    reset: method(),
  };

  add({ by }: { by: number }) {
    this.state.value += by;
    return { value: this.state.value };
  }

  get() {
    return { value: this.state.value };
  }

  reset() {
    this.state.value = 0;
    return { value: 0 };
  }
}
