import { DurableObject } from "cloudflare:workers";

const TABLES = {
  state: "CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY, value INTEGER)",
  calls: "CREATE TABLE IF NOT EXISTS calls (id TEXT PRIMARY KEY, outcome TEXT) WITHOUT ROWID",
  rows: "CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
};

/** What a person would write by hand: one Durable Object an object, with a table for each thing it keeps. */
export class Bare extends DurableObject<{ readonly BARE: DurableObjectNamespace<Bare> }> {
  readonly #made = new Set<string>();

  add(by: number): number {
    return this.#add(by);
  }

  #add(by: number): number {
    const value = this.#value() + by;
    this.#sql("INSERT INTO state VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET value = excluded.value", value);
    return value;
  }

  get(): number {
    return this.#value();
  }

  #value(): number {
    this.#tables("state");
    return Number(this.#sql("SELECT value FROM state")[0]?.["value"] ?? 0);
  }

  /** Exactly once: the outcome is kept with the change, under the call's id. */
  addOnce(callId: string, by: number): number {
    this.#tables("calls");
    const known = this.#sql("SELECT outcome FROM calls WHERE id = ?", callId)[0];
    if (known !== undefined) return Number(known["outcome"]);
    const value = this.#add(by);
    this.#sql("INSERT INTO calls VALUES (?, ?)", callId, value);
    return value;
  }

  fill(rows: number): number {
    this.#tables("rows");
    const upsert = "INSERT INTO rows VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    for (let row = 0; row < rows; row++) this.#sql(upsert, `row-${row}`, String(Math.random()));
    return rows;
  }

  async addToNeighbours(prefix: string, count: number): Promise<number> {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += await this.env.BARE.getByName(`${prefix}${index}`).add(1);
    return sum;
  }

  remove(): number {
    this.#tables("state");
    return this.#sql("DELETE FROM state RETURNING one").length;
  }

  #sql(query: string, ...bindings: SqlStorageValue[]): Record<string, SqlStorageValue>[] {
    return this.ctx.storage.sql.exec(query, ...bindings).toArray();
  }

  #tables(...names: readonly (keyof typeof TABLES)[]): void {
    for (const name of names) {
      if (this.#made.has(name)) continue;
      this.#made.add(name);
      this.#sql(TABLES[name]);
    }
  }
}

/** `/bare/{what}/{id}`, answered as the Worker would; `count` is how many objects are called. */
export async function bareFetch(url: URL, request: Request, bare: DurableObjectNamespace<Bare>): Promise<Response> {
  const [, , what = "", id = ""] = url.pathname.split("/");
  const count = Number(url.searchParams.get("count") ?? 1);
  const object = bare.getByName(id);
  switch (what) {
    case "add":
      return Response.json(await object.add(1));
    case "get":
      return Response.json(await object.get());
    case "addOnce":
      return Response.json(await object.addOnce(request.headers.get("idempotency-key") ?? "", 1));
    case "fill":
      return Response.json(await object.fill(count));
    case "neighbours":
      return Response.json(await object.addToNeighbours(`${id}-`, count));
    case "remove":
      return Response.json(await object.remove());
    case "batch":
      return Response.json(
        await Promise.all(Array.from({ length: count }, (_, at) => bare.getByName(`c${at}`).add(1))),
      );
    default:
      return new Response("not found", { status: 404 });
  }
}
