import type { Connection } from "./connection.ts";
import { clientOf, topicOf } from "./target.ts";
import { TopicTree } from "./topic-tree.ts";

const NOBODY: readonly Connection[] = [];

/** Who is connected, and whom of them a message is for. */
export class Audience {
  readonly #clients = new Map<string, Connection>();
  readonly #topics = new TopicTree<Connection>();

  get size(): number {
    return this.#clients.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#clients.values();
  }

  get(client: string): Connection | undefined {
    return this.#clients.get(client);
  }

  add(connection: Connection): void {
    const { client, topics } = connection.session;
    this.#clients.set(client, connection);
    for (const { segments } of topics.values()) this.#topics.add(segments, connection);
  }

  remove(connection: Connection): void {
    const { client, topics } = connection.session;
    if (this.#clients.get(client) === connection) this.#clients.delete(client);
    for (const { segments } of topics.values()) this.#topics.remove(segments, connection);
  }

  listen(connection: Connection, segments: readonly string[]): void {
    this.#topics.add(segments, connection);
  }

  ignore(connection: Connection, segments: readonly string[]): void {
    this.#topics.remove(segments, connection);
  }

  of(target: string): Iterable<Connection> {
    const topic = topicOf(target);
    if (topic !== undefined) return this.#topics.of(topic.split("/"));
    const client = clientOf(target);
    if (client === undefined) return this.#clients.values();
    const connection = this.#clients.get(client);
    return connection === undefined ? NOBODY : [connection];
  }
}
