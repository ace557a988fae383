import { method, VirtualObject } from "edgeverse";
import * as z from "zod";
import { Counter } from "../examples/counter.ts";

const neighbours = z.object({ prefix: z.string(), count: z.number().int(), method: z.enum(["get", "add"]) });
type Neighbours = z.infer<typeof neighbours>;

/** Calls many other objects in one turn, or sends them calls. It counts how often it sent. */
export class Hub extends VirtualObject.withState(z.object({ told: z.number().int().default(0) })) {
  static override readonly type = "Hub";
  static override readonly methods = {
    inTurn: method({ request: neighbours }),
    together: method({ request: neighbours }),
    tell: method({ request: neighbours.omit({ method: true }) }),
    transaction: method({ request: neighbours.omit({ method: true }) }),
  };

  async inTurn({ prefix, count, method }: Neighbours) {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += await this.#ask(`${prefix}${index}`, method);
    return { sum };
  }

  async together({ prefix, count, method }: Neighbours) {
    const answers = Array.from({ length: count }, (_, index) => this.#ask(`${prefix}${index}`, method));
    return { sum: (await Promise.all(answers)).reduce((sum, value) => sum + value, 0) };
  }

  tell({ prefix, count }: Omit<Neighbours, "method">) {
    for (let index = 0; index < count; index++) this.outbox(Counter, `${prefix}${index}`).add({ by: 1 });
    this.state.told++;
    return { told: this.state.told };
  }

  async transaction({ prefix, count }: Omit<Neighbours, "method">) {
    const objects = Array.from({ length: count }, (_, index) => [Counter, `${prefix}${index}`] as const);
    const values = await this.transact(objects, (...counters) =>
      Promise.all(counters.map((each) => each.add({ by: 1 }))),
    );
    return { sum: values.reduce((sum, { value }) => sum + value, 0) };
  }

  async #ask(id: string, method: "get" | "add"): Promise<number> {
    const counter = this.object(Counter, id);
    return (method === "get" ? await counter.get() : await counter.add({ by: 1 })).value;
  }
}
