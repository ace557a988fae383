import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const said = z.object({ number: z.number().int(), text: z.string() });

/** Says what it is told to everybody who listens, and counts it. */
export class Speaker extends VirtualObject.withState(z.object({ said: z.number().int().default(0) })) {
  static override readonly type = "Speaker";
  static override readonly methods = { say: method({ request: said }) };

  say(message: z.output<typeof said>) {
    this.state.said++;
    this.publish(`room/${this.id}`, message);
  }
}
