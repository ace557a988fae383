import { WorkerEntrypoint } from "cloudflare:workers";
import type { Env } from "edgeverse/cloudflare";
import { defineHost } from "edgeverse/cloudflare";
import { Counter } from "../../../examples/counter.ts";
import { OPEN } from "../../support/open-access.ts";

const host = defineHost({ objects: [Counter], access: OPEN });

/** A Worker without a framework. */
export default class extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    const answer = await host.fetch(request, this.env, this.ctx);
    return answer ?? new Response("mine");
  }

  override async scheduled(controller: ScheduledController): Promise<void> {
    if (controller.cron === "*/5 * * * *") await host.object(this.env, Counter, "cron").add({ by: 1 });
    await host.scheduled(controller, this.env, this.ctx);
  }
}

export const { Partition, Coordinator } = host;
