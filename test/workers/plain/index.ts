import { WorkerEntrypoint } from "cloudflare:workers";
import type { Env } from "edgeverse/cloudflare";
import { defineHost } from "edgeverse/cloudflare";
import { Counter } from "../../../examples/counter.ts";

const host = defineHost({ objects: [Counter] });

/** A Worker without a framework. */
export default class extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    const answer = await host.fetch(request, this.env, this.ctx);
    return answer ?? new Response("mine");
  }

  override scheduled(controller: ScheduledController): Promise<void> {
    return host.scheduled(controller, this.env, this.ctx);
  }
}

export const { Partition, Coordinator } = host;
