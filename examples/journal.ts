import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

/** An append-only log over `this.store`. The invariant: entries are numbered 0, 1, 2, … without a gap. */
export class Journal extends VirtualObject.withState(z.object({ length: z.number().int().default(0) })) {
  static override readonly type = "Journal";
  static override readonly methods = {
    append: method({ request: z.object({ entry: z.unknown() }) }),
    list: method({
      readonly: true,
      request: z.object({
        from: z.number().int().min(0).default(0),
        limit: z.number().int().min(1).max(1_000).default(100),
      }),
    }),
  };

  append({ entry }: { entry: unknown }) {
    const number = this.state.length++;
    this.store.put(keyOf(number), entry);
    return { number };
  }

  list({ from, limit }: { from: number; limit: number }) {
    const rows = this.store.list({ start: keyOf(from), limit });
    return { entries: rows.map((row) => row.value), length: this.state.length };
  }
}

/** Numbers as keys that sort like numbers. */
function keyOf(number: number): string {
  return String(number).padStart(12, "0");
}
