import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const state = z.object({ said: z.array(z.string()).default([]) });

/** What is said in it, heard by who listens to its topic, and seen by who watches it. */
export class Room extends VirtualObject.withState(state) {
  static override readonly type = "Room";
  static override readonly live = {
    // So long that a patch is the shorter way to tell what was said.
    view: ({ said }: z.output<typeof state>) => ({ said, rules: ["Be kind. ".repeat(30)] }),
  };
  static override readonly methods = {
    say: method({ request: z.object({ text: z.string() }) }),
    list: method({ readonly: true }),
    tell: method({ request: z.object({ client: z.string(), text: z.string() }) }),
    close: method(),
  };

  say({ text }: { text: string }) {
    const number = this.state.said.push(text);
    this.publish(`room/${this.id}`, { text, number });
    return { number, by: this.context.identity?.id ?? null };
  }

  list() {
    return this.state.said;
  }

  tell({ client, text }: { client: string; text: string }) {
    this.push(client, { text });
  }

  close(): void {
    this.fail("OPEN", "it stays open", { said: this.state.said.length });
  }
}
