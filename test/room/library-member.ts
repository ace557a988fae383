import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { type Client, createClient } from "../../client/index.ts";
import { Hearing } from "./hearing.ts";
import { TOPIC } from "./member.ts";
import type { Record } from "./record.ts";
import type { Room } from "./worker.ts";

/** Between clients and a host: it can cut them, which their own library would not do. */
export class Cable {
  readonly #server: Server;
  readonly #pairs = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Cable> {
    const server = createServer();
    const cable = new Cable(server);
    server.on("connection", (socket) => {
      const far = dial(port, "127.0.0.1");
      cable.#pairs.add(socket);
      for (const [one, other] of [[socket, far] as const, [far, socket] as const]) {
        one.on("error", () => undefined);
        one.on("close", () => {
          other.destroy();
          cable.#pairs.delete(socket);
        });
        one.pipe(other);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return cable;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** Cuts one of them. */
  cut(random: () => number): void {
    const pairs = [...this.#pairs];
    pairs[Math.floor(random() * pairs.length)]?.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#pairs) socket.destroy();
  }
}

/** A client of the room by `edgeverse/client`. */
export class LibraryMember {
  readonly hearing: Hearing;
  readonly client: Client<typeof Room>;
  #left = false;

  constructor(url: string, name: string, record: Record) {
    this.hearing = new Hearing(name, record);
    this.client = createClient<typeof Room>({ url });
    this.client.subscribe(TOPIC, (data) => this.hearing.take(data), {
      onGap: () => this.hearing.gap(),
      onError: (error) => this.#left || record.break(`${name} may not listen: ${error.code}`),
    });
  }

  get isListening(): boolean {
    return this.client.status === "open";
  }

  leave(): void {
    this.#left = true; // Who listens is told that there is nothing more to hear.
    this.client.close();
  }
}
