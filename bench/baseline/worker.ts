import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly BARE: DurableObjectNamespace<Bare>;
  readonly GROUPED: DurableObjectNamespace<Grouped>;
  readonly HALL: DurableObjectNamespace<Hall>;
}

interface Add {
  readonly id: string;
  readonly by: number;
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

/**
 * The smallest group commit there is: calls change memory, and what arrived in one turn of the event loop is written by one
 * statement and answered together. No owner, no shard, no turn, no schema: what a durable call can cost at least.
 */
export class Grouped extends DurableObject {
  readonly #values = new Map<string, number>();
  #changed = new Map<string, number>();
  #waiting: (() => void)[] = [];

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS counters (id TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID");
  }

  async add({ id, by }: Add): Promise<number> {
    const value = (this.#values.get(id) ?? 0) + by;
    this.#values.set(id, value);
    this.#changed.set(id, value);
    await new Promise<void>((resolve) => {
      if (this.#waiting.push(resolve) === 1) setTimeout(() => this.#flush(), 0);
    });
    return value;
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.ctx.storage.sql.exec(
      `INSERT INTO counters SELECT value->>0, value->>1 FROM json_each(?) WHERE true
       ON CONFLICT (id) DO UPDATE SET value = excluded.value`,
      JSON.stringify([...this.#changed]),
    );
    this.#changed = new Map();
    this.#waiting = [];
    for (const answer of waiting) answer();
  }
}

/** A Durable Object with hibernating WebSockets, which gives all of them what one says. It stores nothing. */
export class Hall extends DurableObject {
  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": "edgeverse.v1" },
    });
  }

  override webSocketMessage(_: WebSocket, text: string): void {
    for (const socket of this.ctx.getWebSockets()) socket.send(text);
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close();
  }
}

/**
 * `/plain`, `/count/{id}`, `/write/{id}`, `/add/{id}`; a POST is read as JSON, as Edgeverse's own call is. `/socket` is
 * one of the hall.
 */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, what = "", id = ""] = new URL(request.url).pathname.split("/");
    if (what === "plain") return new Response("ok");
    if (what === "socket") return env.HALL.getByName("one").fetch(request);
    const by = request.method === "POST" ? (await request.json<{ request: { by: number } }>()).request.by : 1;
    if (what === "add") return Response.json({ value: await env.GROUPED.getByName("one").add({ id, by }) });
    const bare = env.BARE.getByName("one");
    if (what === "count") return Response.json({ value: await bare.count(id, by) });
    if (what === "write") return Response.json({ value: await bare.write(id, by) });
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler<Env>;
