import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly BARE: DurableObjectNamespace<Bare>;
}

/** What a person would write by hand: one Durable Object for all counters. */
export class Bare extends DurableObject {
  readonly #values = new Map<string, number>();

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS counters (id TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID");
  }

  count(id: string, by: number): number {
    const value = (this.#values.get(id) ?? 0) + by;
    this.#values.set(id, value);
    return value;
  }

  /** The value differs each time: SQLite skips an upsert that changes nothing. */
  write(id: string, by: number): number {
    const value = this.count(id, by);
    const upsert = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value";
    this.ctx.storage.sql.exec(upsert, id, value);
    return value;
  }
}

/** `/plain`, `/count/{id}`, `/write/{id}`; a POST is read as JSON, as Edgeverse's own call is. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, what = "", id = ""] = new URL(request.url).pathname.split("/");
    if (what === "plain") return new Response("ok");
    const bare = env.BARE.getByName("one");
    const by = request.method === "POST" ? (await request.json<{ request: { by: number } }>()).request.by : 1;
    if (what === "count") return Response.json({ value: await bare.count(id, by) });
    if (what === "write") return Response.json({ value: await bare.write(id, by) });
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler<Env>;
