import { method, type RequestOf, VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import * as z from "zod";

/** Counts, and remembers who asked it to. */
export class Tally extends VirtualObject.withState(
  z.object({ value: z.number().int().default(0), kinds: z.array(z.string()).default([]) }),
) {
  static override readonly type = "Tally";
  static override readonly access = { anonymous: true };
  static override readonly create = z.object({ start: z.number().int().default(0) });
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().int().min(1) }) }),
    read: method({ readonly: true }),
    whoami: method({ readonly: true }),
    refuse: method(),
  };

  protected override onCreate({ start }: RequestOf<typeof Tally.create>) {
    this.state.value = start;
  }

  add({ by }: { by: number }) {
    this.state.value += by;
    this.state.kinds.push(this.context.caller.kind);
    return { value: this.state.value };
  }

  read() {
    return this.state;
  }

  whoami() {
    return { kind: this.context.caller.kind, identity: this.context.identity ?? null };
  }

  refuse() {
    this.fail("CLOSED", "the tally is closed", { since: "yesterday" });
  }
}

export const host = defineHost({ objects: [Tally], basePath: "/edge", crons: { reconcile: "*/10 * * * *" } });
