import { method, VirtualObject } from "edgeverse";
import { defineHost, type Env } from "edgeverse/cloudflare";
import * as z from "zod";

/** Numbers what is said in it, and tells everybody who listens. */
export class Room extends VirtualObject.withState(z.object({ said: z.number().int().default(0) })) {
  static override readonly type = "Room";
  static override readonly access = { anonymous: true };
  static override readonly methods = {
    say: method({
      request: z.object({
        text: z.string(),
        /** A client that is told by itself, too. */
        to: z.string().optional(),
        /** Characters more. */
        filling: z.number().int().max(130_000).default(0),
        fail: z.boolean().default(false),
      }),
    }),
    count: method({ readonly: true }),
  };

  say({ text, to, filling, fail }: { text: string; to?: string | undefined; filling: number; fail: boolean }) {
    this.state.said += 1;
    const number = this.state.said;
    this.publish(`room/${this.id}`, { number, text, ...(filling > 0 ? { filling: "x".repeat(filling) } : {}) });
    if (to !== undefined) this.push(to, { number, whisper: text });
    if (fail) this.fail("TAKEN_BACK", "it was not said");
    return { number };
  }

  count() {
    return { said: this.state.said };
  }
}

const host = defineHost({
  objects: [Room],
  push: { topics: { "room/*": { anonymous: true }, "wild/**": { anonymous: true } } },
});

/** Ends alone, as the platform ends a Durable Object: what it has in memory is gone. */
export class Gate extends host.Gate {
  async die(): Promise<void> {
    this.ctx.abort("the test ends it");
  }
}

export class Partition extends host.Partition {
  async die(): Promise<void> {
    this.ctx.abort("the test ends it");
  }
}

export const { Coordinator } = host;

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/room/die") return host.worker.fetch(request, env, ctx);
    const name = searchParams.get("name") ?? "";
    const namespace = name.startsWith("g") ? env.GATE : env.PARTITION;
    const one = (namespace as unknown as DurableObjectNamespace<Gate>).getByName(name);
    await one.die().catch(() => undefined);
    return new Response("dead");
  },
  scheduled: host.scheduled,
};
