import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "../local/host-process.ts";

afterAll(cleanUp);

const CONFIG = ["--config", resolve(import.meta.dirname, "wrangler.toml"), "--no-postgres"];
const CLIENTS = 40;
const LINES = 60;

/** A client as the guide has it: it comes back by itself, and takes no message twice. */
class Client {
  readonly got: unknown[] = [];
  gaps = 0;
  connections = 0;
  readonly #url: () => string;
  #socket: WebSocket | undefined;
  #session: { session: string; client: string } | undefined;
  #seen = 0;
  #ended = false;

  constructor(url: () => string) {
    this.#url = url;
    this.#connect();
  }

  /** Breaks the connection. */
  cut(): void {
    this.#socket?.close();
  }

  end(): void {
    this.#ended = true;
    this.cut();
  }

  #connect(): void {
    if (this.#ended) return;
    const where = new URL("/api/v1/events/socket", this.#url().replace("http", "ws"));
    if (this.#session !== undefined) where.searchParams.set("client", this.#session.client);
    const socket = new WebSocket(where.href, "edgeverse.v1");
    this.#socket = socket;
    const session = this.#session === undefined ? {} : { session: this.#session.session, seen: this.#seen };
    socket.addEventListener("open", () =>
      socket.send(JSON.stringify({ kind: "hello", topics: ["square/*"], ...session })),
    );
    socket.addEventListener("message", ({ data }) => {
      for (const frame of [JSON.parse(String(data))].flat()) this.#take(frame, socket);
    });
    socket.addEventListener("error", () => undefined);
    socket.addEventListener("close", () => setTimeout(() => this.#connect(), 100));
  }

  #take(frame: Record<string, unknown>, socket: WebSocket): void {
    if (frame["kind"] === "welcome") {
      this.connections++;
      this.#session = frame as unknown as { session: string; client: string };
      this.#seen = Number(frame["seen"]);
      return;
    }
    if (frame["kind"] === "gap") this.gaps++;
    if (frame["kind"] !== "gap" && frame["kind"] !== "message") return;
    const n = Number(frame["n"]);
    if (n > this.#seen) {
      this.#seen = n;
      if (frame["kind"] === "message") this.got.push(frame["data"]);
    }
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ kind: "ack", seen: n }));
  }
}

test("[PUSH1] [PUSH4] clients miss nothing through kill -9 of the host, and lost connections", {
  timeout: 180_000,
}, async () => {
  const env = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_PARTITIONS: "2" };
  let host = spawnHost(env, ["--json"], CONFIG);
  let ready = await host.ready();
  const clients = Array.from({ length: CLIENTS }, () => new Client(() => ready.url));
  while (clients.some(({ connections }) => connections === 0)) await sleep(50);
  await sleep(500);
  const said: string[] = [];
  for (let line = 0; line < LINES; line++) {
    said.push(`line ${line}`);
    const say = () =>
      fetch(`${ready.url}/api/v1/objects/call/Crier/c/cry`, {
        method: "POST",
        headers: { "idempotency-key": `line-${line}` },
        body: JSON.stringify({ request: { lines: [`line ${line}`] } }),
      }).then((answer) => answer.ok);
    if (line === 20 || line === 40) {
      const lost = say().catch(() => false);
      process.kill(ready.workerdPid, "SIGKILL");
      host.child.kill("SIGKILL");
      await Promise.all([lost, host.exited]);
      host = spawnHost(env, ["--json"], CONFIG);
      ready = await host.ready();
    }
    while (!(await say().catch(() => false))) await sleep(100);
    if (line % 10 === 5) clients[line % CLIENTS]?.cut();
  }
  for (let tries = 0; tries < 300 && clients.some(({ got }) => got.length < LINES); tries++) await sleep(100);
  for (const { got, gaps } of clients) {
    expect(got).toEqual(said);
    expect(gaps).toBe(0);
  }
  for (const client of clients) client.end();
  host.child.kill("SIGTERM");
  expect(await host.exited).toBe(0);
});
