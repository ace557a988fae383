import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

/** A number that anybody may raise. There is one counter for every id that somebody names. */
export class Counter extends VirtualObject.withState(z.object({ value: z.number().int().default(0) })) {
  static override readonly type = "Counter";
  /** Everybody may call it, without saying who they are. Without this line, no client may. */
  static override readonly access = { anonymous: true };
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().int().positive() }) }),
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
