import {
  DurableObject,
  WorkerEntrypoint,
  WorkflowEntrypoint,
  type WorkflowEvent,
  type WorkflowStep,
} from "cloudflare:workers";
import { AsyncLocalStorage } from "node:async_hooks";
import type Other from "./other.ts";

interface Env {
  readonly GREETING: string;
  readonly LIMITS: { readonly calls: number };
  readonly PASSWORD?: string;
  readonly OWN: DurableObjectNamespace<Own>;
  readonly KV: KVNamespace;
  readonly R2: R2Bucket;
  readonly D1: D1Database;
  readonly QUEUE: Queue<string>;
  readonly OTHER: Service<Other>;
  readonly SELF: Service<Named>;
  readonly ASSETS: Fetcher;
  readonly WORKFLOW: Workflow<{ readonly of: number }>;
  readonly ANALYTICS: AnalyticsEngineDataset;
  readonly EMAIL: SendEmail;
  readonly RATE: RateLimit;
  readonly VERSION: WorkerVersionMetadata;
}

/** Counts, and remembers what handlers were given. */
export class Own extends DurableObject<Env> {
  count(): number {
    const { kv } = this.ctx.storage;
    const count = (kv.get<number>("count") ?? 0) + 1;
    kv.put("count", count);
    return count;
  }

  told(what: string): void {
    this.ctx.storage.kv.put(`told ${what}`, true);
  }

  async wasTold(what: string): Promise<boolean> {
    for (let tries = 0; tries < 100; tries++) {
      if (this.ctx.storage.kv.get(`told ${what}`) === true) return true;
      await pause();
    }
    return false;
  }
}

export class Named extends WorkerEntrypoint<Env> {
  greet(): string {
    return this.env.GREETING;
  }
}

export class Steps extends WorkflowEntrypoint<Env, { readonly of: number }> {
  override run(event: Readonly<WorkflowEvent<{ readonly of: number }>>, step: WorkflowStep) {
    return step.do("double", async () => event.payload.of * 2);
  }
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
const notes = (env: Env) => env.OWN.getByName("notes");

/** By the key of the worker's file, or the name in the table: a use of it, and what comes of that where it works. */
const PROBES: Readonly<Record<string, { readonly use: (env: Env) => unknown; readonly gives: unknown }>> = {
  vars: { use: ({ GREETING, LIMITS }) => ({ GREETING, LIMITS }), gives: { GREETING: "hello", LIMITS: { calls: 3 } } },
  ".dev.vars": { use: ({ PASSWORD }) => PASSWORD, gives: "from .dev.vars" },
  durable_objects: { use: async ({ OWN }) => (await OWN.getByName("one").count()) > 0, gives: true },
  nodejs_compat: { use: () => new AsyncLocalStorage<number>().run(7, () => typeof Buffer), gives: "function" },
  caches: {
    async use() {
      await caches.default.put(
        "https://parity.test/a",
        new Response("kept", { headers: { "cache-control": "max-age=60" } }),
      );
      return (await caches.default.match("https://parity.test/a"))?.text();
    },
    gives: "kept",
  },
  kv_namespaces: {
    async use({ KV }) {
      await KV.put("a", "1");
      return KV.get("a");
    },
    gives: "1",
  },
  r2_buckets: {
    async use({ R2 }) {
      await R2.put("a", "1");
      return (await R2.get("a"))?.text();
    },
    gives: "1",
  },
  d1_databases: { use: ({ D1 }) => D1.prepare("SELECT 1 + 1 AS two").first("two"), gives: 2 },
  queues: {
    async use(env) {
      const message = crypto.randomUUID();
      await env.QUEUE.send(message);
      return notes(env).wasTold(message);
    },
    gives: true,
  },
  services: {
    use: async ({ OTHER, SELF }) => [
      await (await OTHER.fetch("https://parity.test/")).text(),
      await OTHER.sum(1, 2),
      await SELF.greet(),
    ],
    gives: ["other", 3, "hello"],
  },
  assets: {
    use: async ({ ASSETS }) => (await (await ASSETS.fetch("https://parity.test/page")).text()).trim(),
    gives: "<p>a page</p>",
  },
  workflows: {
    async use({ WORKFLOW }) {
      const run = await WORKFLOW.create({ params: { of: 21 } });
      for (let tries = 0; tries < 100; tries++) {
        const { status, output } = await run.status();
        if (status === "complete") return output;
        await pause();
      }
      return "it did not end";
    },
    gives: 42,
  },
  analytics_engine_datasets: {
    use: ({ ANALYTICS }) => ANALYTICS.writeDataPoint({ blobs: ["a"] }) ?? "written",
    gives: "written",
  },
  send_email: { use: ({ EMAIL }) => typeof EMAIL.send, gives: "function" },
  ratelimits: { use: ({ RATE }) => RATE.limit({ key: crypto.randomUUID() }), gives: { success: true } },
  version_metadata: { use: ({ VERSION }) => typeof VERSION.id, gives: "string" },
};

/** What came of every use: `true` when it was what it should be. */
async function probe(env: Env): Promise<Record<string, unknown>> {
  const came: Record<string, unknown> = {};
  for (const [key, { use, gives }] of Object.entries(PROBES))
    try {
      const given = await use(env);
      came[key] = JSON.stringify(given) === JSON.stringify(gives) || { given };
    } catch (error) {
      came[key] = String(error);
    }
  return came;
}

/** What the probes left. */
async function kept({ OWN, KV, R2 }: Env) {
  return { own: await OWN.getByName("one").count(), kv: await KV.get("a"), r2: await (await R2.get("a"))?.text() };
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/probe") return Response.json(await probe(env));
    if (pathname === "/count") return Response.json(await env.OWN.getByName("one").count());
    if (pathname === "/kept") return Response.json(await kept(env));
    if (pathname === "/cron") return Response.json(await notes(env).wasTold("1 2 3 4 *"));
    return new Response("no such page", { status: 404 });
  },
  async queue(batch, env) {
    for (const { body } of batch.messages) await notes(env).told(body);
  },
  async scheduled({ cron }, env) {
    await notes(env).told(cron);
  },
} satisfies ExportedHandler<Env, string>;
