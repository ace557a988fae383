import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

export class Counter extends VirtualObject.withState(z.object({ value: z.number().int().default(0) })) {
  static override readonly type = "Counter";
  static override readonly access = { anonymous: true };
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().int().default(1) }) }),
    get: method({ readonly: true }),
  };

  add({ by }: { by: number }) {
    this.state.value += by;
    return this.get();
  }

  get() {
    return { value: this.state.value };
  }
}
