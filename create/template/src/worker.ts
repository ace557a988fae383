import { defineHost, type Env } from "edgeverse/cloudflare";
import { Counter } from "./counter.ts";
import page from "./page.html";

const host = defineHost({ objects: [Counter] });

export const { Partition, Coordinator, Gate } = host;

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
    return (await host.fetch(request, env, ctx)) ?? new Response("There is nothing here.\n", { status: 404 });
  },
  scheduled: host.scheduled,
} satisfies ExportedHandler<Env>;
