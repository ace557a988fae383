import {
  DurableObject,
  WorkerEntrypoint,
  WorkflowEntrypoint,
  type WorkflowEvent,
  type WorkflowStep,
} from "cloudflare:workers";
import { EdgeverseError } from "edgeverse";
import type { Env } from "edgeverse/cloudflare";
import { Hono } from "hono";
import { host, Tally } from "./host.ts";

/** What `wrangler.toml` binds. */
export interface Bindings extends Env {
  readonly LINKS: KVNamespace;
  readonly JOBS: Queue<Job>;
  readonly ORDERS: Workflow<Job>;
  readonly ROOMS: DurableObjectNamespace<Room>;
  readonly INSIDE: Service<typeof Inside>;
}

export interface Job {
  readonly tally: string;
}

const app = new Hono<{ Bindings: Bindings; Variables: { user: string } }>();
app.use(async (c, next) => {
  c.set("user", c.req.header("x-user") ?? "nobody");
  await next();
  c.header("x-app", "shop");
});
app.use((c, next) => host.fetch(c.req.raw, c.env, c.executionCtx, next));
app.get("/", (c) => c.text("the shop"));
app.get("/healthz", (c) => c.text("the shop is open"));
app.put("/links/:name", async (c) => {
  await c.env.LINKS.put(c.req.param("name"), await c.req.text());
  return c.body(null, 204);
});
app.get("/links/:name", async (c) => {
  const url = await c.env.LINKS.get(c.req.param("name"));
  if (url === null) return c.notFound();
  await host.object(c.env, Tally, c.req.param("name")).add({ by: 1 });
  return c.redirect(url);
});
app.get("/me/:name", async (c) => {
  const identity = { id: c.get("user"), roles: ["customer"] };
  return c.json(await host.object(c.env, Tally, c.req.param("name"), { identity }).whoami());
});
app.get("/read/:name", async (c) => c.json(await host.object(c.env, Tally, c.req.param("name")).read()));
app.post("/refuse/:name", async (c) => {
  try {
    return c.json(await host.object(c.env, Tally, c.req.param("name")).refuse());
  } catch (error) {
    if (!(error instanceof EdgeverseError)) throw error;
    return c.json({ code: error.code, reason: error.reason ?? null, details: error.details ?? null });
  }
});
app.post("/lifecycle/:name", async (c) => {
  const name = c.req.param("name");
  const created = [await host.create(c.env, Tally, name, { start: 3 }), await host.create(c.env, Tally, name)];
  const { value } = await host.object(c.env, Tally, name).add({ by: 5 });
  await host.delete(c.env, Tally, name);
  return c.json({ created, value, after: (await host.object(c.env, Tally, name).read()).value });
});
app.post("/jobs/:name", async (c) => {
  await c.env.JOBS.send({ tally: c.req.param("name") });
  return c.body(null, 202);
});
app.post("/orders/:name", async (c) => {
  const { id } = await c.env.ORDERS.create({ params: { tally: c.req.param("name") } });
  return c.json({ id });
});
app.post("/rooms/:name", async (c) => c.json(await c.env.ROOMS.getByName("lobby").enter(c.req.param("name"))));
app.post("/inside/:name", async (c) => c.json(await c.env.INSIDE.enter(c.req.param("name"))));
app.post("/copied/:name", async (c) =>
  c.json(await host.object({ ...c.env }, Tally, c.req.param("name")).add({ by: 1 })),
);

export default {
  fetch: app.fetch,
  async scheduled(controller, env, ctx) {
    if (controller.cron === "*/5 * * * *") await host.object(env, Tally, "cron").add({ by: 1 });
    await host.scheduled(controller, env, ctx);
  },
  async queue(batch, env) {
    for (const { id, body } of batch.messages) await host.object(env, Tally, body.tally, { callId: id }).add({ by: 1 });
  },
} satisfies ExportedHandler<Bindings, Job>;

export const { Partition, Coordinator } = host;

export class Room extends DurableObject<Bindings> {
  enter(name: string) {
    return host.object(this.env, Tally, name).add({ by: 1 });
  }
}

export class Orders extends WorkflowEntrypoint<Bindings, Job> {
  override async run({ payload, instanceId }: Readonly<WorkflowEvent<Job>>, step: WorkflowStep) {
    return step.do("count", () => host.object(this.env, Tally, payload.tally, { callId: instanceId }).add({ by: 1 }));
  }
}

export class Inside extends WorkerEntrypoint<Bindings> {
  enter(name: string) {
    return host.object(this.env, Tally, name).add({ by: 1 });
  }
}
