import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const state = z.object({
  open: z.boolean().default(true),
  price: z.number().nullable().default(null),
  tags: z.array(z.string()).default([]),
  /** What the index `any` has. */
  any: z.unknown().optional(),
});
type State = z.output<typeof state>;
const change = z.object({
  open: z.boolean().optional(),
  price: z.number().nullable().optional(),
  tags: z.array(z.string()).optional(),
  any: z.unknown().optional(),
});

type Change = z.output<typeof change>;

/** Something for sale. It is found by what it is, as long as it is for sale. */
export class Lot extends VirtualObject<State> {
  static override readonly type: string = "Lot";
  static override readonly state = state;
  static override readonly index = {
    open: ({ open }: State) => open,
    price: ({ open, price }: State) => (open ? price : undefined),
    tags: ({ tags }: State) => tags,
    any: ({ any }: State) => {
      if (any === "throw") throw new Error("no such thing");
      return any as string | undefined;
    },
  };
  static override readonly methods = {
    set: method({ request: change }),
    refuse: method({ request: change }),
    note: method(),
    drop: method(),
  };

  set(change: Change) {
    Object.assign(this.state, change);
    return null;
  }

  refuse(change: Change) {
    this.set(change);
    throw this.fail("NO", "no");
  }

  note() {
    this.store.put("note", 1);
    return null;
  }

  drop() {
    this.deleteSelf();
    return null;
  }
}
