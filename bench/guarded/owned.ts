import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const by = z.object({ by: z.number().int() });

/** A counter that its owner changes, or somebody with the role: and one method that everybody may call. */
export class Owned extends VirtualObject.withState(z.object({ value: z.number().int().default(0) })) {
  static override readonly type = "Owned";
  static override readonly access = { owner: true, or: { roles: ["player"] } };
  static override readonly methods = {
    add: method({ request: by }),
    open: method({ request: by, anonymous: true }),
    reset: method(),
  };

  add({ by }: { by: number }) {
    this.state.value += by;
    return { value: this.state.value };
  }

  open(request: { by: number }) {
    return this.add(request);
  }

  reset() {
    this.state.value = 0;
  }
}
