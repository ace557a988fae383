import type { PublicEvent } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import { QUIET, RULES, Shop } from "./objects.ts";
import { queued } from "./queued.ts";

const host = defineHost({
  objects: [...QUIET, Shop],
  events: {
    hook: { kind: "webhook", url: "WEBHOOK_URL", secret: "WEBHOOK_SECRET", topics: ["shop.paid"] },
    table: { kind: "postgres", topics: "*" },
    queue: { kind: "queue", binding: "EVENTS", topics: "*" },
  },
  ...RULES,
});

export default {
  ...host.worker,
  async queue(batch: { readonly messages: readonly { readonly body: PublicEvent }[] }) {
    queued.push(...batch.messages.map(({ body }) => body));
  },
};
export const { Partition, Coordinator, Gate } = host;
