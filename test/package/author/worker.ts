import { defineHost, type Env } from "edgeverse/cloudflare";
import { Counter } from "./counter.js";

const host = defineHost({ objects: [Counter] });

export const { Partition, Coordinator } = host;

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/total") return Response.json(await host.object(env, Counter, "a").get());
    return (await host.fetch(request, env, ctx)) ?? new Response("Not found", { status: 404 });
  },
  scheduled: host.scheduled,
} satisfies ExportedHandler<Env>;
