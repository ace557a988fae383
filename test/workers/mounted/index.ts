import { defineHost, type Env } from "edgeverse/cloudflare";
import { Hono } from "hono";
import { Counter } from "../../../examples/counter.ts";
import { OPEN } from "../../support/open-access.ts";
import { Door } from "./door.ts";

const host = defineHost({ objects: [Counter, Door], access: OPEN, basePath: "/edge" });

/** An app whose own `/healthz` is never well. */
const app = new Hono<{ Bindings: Env }>();
app.use((c, next) => host.fetch(c.req.raw, c.env, c.executionCtx, next));
app.get("/healthz", (c) => c.text("ill", 503));

export default { fetch: app.fetch, scheduled: host.scheduled } satisfies ExportedHandler<Env>;
export const { Partition, Coordinator } = host;
