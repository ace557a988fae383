import { method, VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import * as z from "zod";
import { Counter } from "../../examples/counter.ts";
import { Hub } from "../hub.ts";
import { Bare, bareFetch } from "./bare.ts";
import * as meter from "./meter.ts";
import { meterClass } from "./meter-class.ts";

/** Keeps rows in its store. */
class Shelf extends VirtualObject {
  static override readonly type = "Shelf";
  static override readonly methods = { fill: method({ request: z.object({ rows: z.number().int() }) }) };

  fill({ rows }: { rows: number }) {
    for (let row = 0; row < rows; row++) this.store.put(`row-${row}`, { value: Math.random() });
    return null;
  }
}

interface Env {
  readonly PARTITION: DurableObjectNamespace;
  readonly COORDINATOR: DurableObjectNamespace;
  readonly BARE: DurableObjectNamespace<Bare>;
}

const host = defineHost({
  objects: [Counter, Hub, Shelf],
  access: [{ type: "*", access: "ALLOW", anonymous: true }],
});
export const { Partition, Coordinator } = host;
export { Bare };

meter.takeOver();
meterClass("PARTITION", Partition);
meterClass("COORDINATOR", Coordinator);
meterClass("BARE", Bare);

/** Lets everything happen that is due until `until`, in order, on the meter's clock. */
async function pass(env: Env, until: number): Promise<void> {
  await meter.quiet();
  for (let object = meter.next(); object !== undefined && object.due <= until; object = meter.next()) {
    meter.moveTo(object.due);
    const stub = env[object.className as keyof Env].getByName(object.name) as unknown as { meterFire(): Promise<void> };
    await stub.meterFire();
    await meter.quiet();
  }
}

/** `/cost/…` is the bench's own: to start counting, to let time pass, to run a cron. The rest is what it counts. */
async function control(url: URL, env: Env, ctx: ExecutionContext): Promise<Response> {
  const ms = Number(url.searchParams.get("ms"));
  const until = Date.now() + ms;
  if (url.pathname === "/cost/reset") meter.reset();
  if (url.pathname === "/cost/pass") {
    await pass(env, until);
    meter.moveTo(until);
  }
  const cron = url.searchParams.get("cron");
  if (cron !== null) {
    meter.countRequest("workerRequests");
    await host.scheduled({ cron }, env, ctx);
    await pass(env, Date.now());
  }
  return Response.json(meter.read());
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/cost/")) return control(url, env, ctx);
    meter.countRequest("workerRequests");
    if (url.pathname.startsWith("/bare/")) return bareFetch(url, request, env.BARE);
    return host.worker.fetch(request, env, ctx);
  },
};
