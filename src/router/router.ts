import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { placementOf } from "../identity/object-id.ts";
import { inOrder } from "../object/in-order.ts";
import type { CallMessage, LifecycleMessage, Moved, Reply } from "../object/message.ts";
import type { Registry } from "../object/registry.ts";
import type { ShardMap } from "../placement/shard-map.ts";
import { pause } from "../platform/pause.ts";
import type { Clock } from "../platform/ports.ts";
import type { Connect, MapCache, PartitionClient } from "./ports.ts";
import { remoteFault } from "./remote-fault.ts";

export type FinalReply = Exclude<Reply, Moved>;

const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 250;
/** Redirections followed at once; before each later one there is a pause, since partitions may redirect to each other in a move. */
const MAX_REDIRECTS = 4;
/** Ms between two looks at the coordinator's map. */
const REFRESH_EVERY = 1_000;

/**
 * Takes calls to the partition that owns their object ([MAP1], [MAP3]). It guesses the owner from the cached map, learns
 * better from a partition that says MOVED, and tries again within the call's deadline. A partition that can't be reached is
 * asked again only where that can't run a call twice: a reliable call, or a readonly method.
 */
export class Router {
  readonly #registry: Registry;
  readonly #connect: Connect;
  readonly #cache: MapCache;
  readonly #clock: Clock;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: { registry: Registry; connect: Connect; cache: MapCache; clock: Clock }) {
    this.#registry = parts.registry;
    this.#connect = parts.connect;
    this.#cache = parts.cache;
    this.#clock = parts.clock;
  }

  get map(): ShardMap {
    return this.#cache.map;
  }

  /** Takes the coordinator's map, if it can be had: for views that should be up to date. */
  refresh(): Promise<void> {
    return this.#refresh();
  }

  /** @throws EdgeverseError `INVALID_ID` */
  owner(id: string): string {
    const placement = placementOf(id);
    if (placement.kind !== "partition") return this.#cache.owner(this.map.shard(placement) as number);
    if (this.map.partitions.includes(placement.partition)) return placement.partition;
    throw new EdgeverseError("INVALID_ID", `Cannot place the object: there is no partition "${placement.partition}"`);
  }

  /** Never rejects. */
  call(message: CallMessage): Promise<FinalReply> {
    return this.#follow(
      message,
      (client) => client.call(message),
      () => this.#repeatable(message),
    );
  }

  /** Never rejects. Not repeated: between two deletions of one request somebody else may have written, and been answered. */
  lifecycle(message: LifecycleMessage): Promise<FinalReply> {
    return this.#follow(
      message,
      (client) => client.lifecycle(message),
      () => false,
    );
  }

  /**
   * Many calls, one message a partition; replies in the order of `messages`. Calls of one object run in their order. Never
   * rejects.
   */
  async batch(messages: readonly CallMessage[]): Promise<FinalReply[]> {
    const replies = new Array<FinalReply | undefined>(messages.length);
    const groups = Map.groupBy(messages.keys(), (index) => this.#ownerIfKnown((messages[index] as CallMessage).id));
    const pick = (indexes: readonly number[]) => indexes.map((index) => messages[index] as CallMessage);
    const callOneByOne = async (indexes: readonly number[]) => {
      const answers = await inOrder(pick(indexes), (message) => this.call(message));
      indexes.forEach((index, place) => {
        replies[index] = answers[place];
      });
    };
    await Promise.all(
      [...groups].map(async ([owner, indexes]) => {
        if (owner === undefined) return callOneByOne(indexes);
        const answers = await this.#batchTo(owner, pick(indexes));
        indexes.forEach((index, place) => {
          replies[index] = answers[place];
        });
        return callOneByOne(indexes.filter((index) => replies[index] === undefined));
      }),
    );
    return replies as FinalReply[];
  }

  /** Asks the owner of `id` something that may be asked twice. @throws EdgeverseError `UNAVAILABLE` */
  async ask<Answer>(
    id: string,
    deadline: number,
    question: (client: PartitionClient) => Promise<Answer | { readonly movedTo: string | null }>,
  ): Promise<Answer> {
    const reply = await this.#follow<Moved | { kind: "answer"; answer: Answer }>(
      { id, deadline },
      async (client) => {
        const answer = await question(client);
        if (typeof answer !== "object" || answer === null || !("movedTo" in answer))
          return { kind: "answer", answer: answer as Answer };
        return {
          kind: "moved",
          shard: -1,
          shards: this.map.shards,
          partition: answer.movedTo,
          epoch: 0,
          mapVersion: 0,
        };
      },
      () => true,
    );
    if (reply.kind === "answer") return reply.answer;
    throw EdgeverseError.from(reply.error);
  }

  #ownerIfKnown(id: string): string | undefined {
    try {
      return this.owner(id);
    } catch {
      return undefined;
    }
  }

  /** The replies of one partition; undefined for each call that must be sent once more, by itself. */
  async #batchTo(owner: string, messages: readonly CallMessage[]): Promise<(FinalReply | undefined)[]> {
    try {
      const replies = await this.#connect(owner).batch(messages);
      return replies.map((reply) => {
        if (reply.kind !== "moved") return reply;
        this.#cache.learn(reply);
        return undefined;
      });
    } catch (cause) {
      const fault = remoteFault(cause, owner);
      const error = { ...fault.error.toWire(), retryable: !fault.again };
      return messages.map((message) =>
        fault.again && this.#repeatable(message) ? undefined : { kind: "error", error },
      );
    }
  }

  async #follow<Answer extends { kind: string }>(
    target: { readonly id: string; readonly deadline: number },
    send: (client: PartitionClient) => Promise<Answer | Moved>,
    repeatable: () => boolean,
  ): Promise<Exclude<Answer, Moved> | Extract<FinalReply, { kind: "error" }>> {
    let wait = FIRST_PAUSE;
    let hint: string | undefined;
    let redirects = 0;
    for (;;) {
      let trouble: EdgeverseError;
      try {
        const owner = hint ?? (await this.#ownerOrRefresh(target.id));
        try {
          const reply = await send(this.#connect(owner));
          if (reply.kind !== "moved") return reply as Exclude<Answer, Moved>;
          hint = await this.#redirect(reply as Moved, owner, ++redirects);
          if (hint !== undefined && redirects <= MAX_REDIRECTS) continue;
          trouble = new EdgeverseError("UNAVAILABLE", "The object is between two partitions; it was not called");
        } catch (cause) {
          const fault = remoteFault(cause, owner);
          trouble = fault.error;
          if (!fault.again) return { kind: "error", error: trouble.toWire() };
          // The call may have run: repeating it is its caller's decision, and no safe default.
          if (!repeatable()) return { kind: "error", error: { ...trouble.toWire(), retryable: false } };
          hint = undefined;
        }
      } catch (error) {
        return { kind: "error", error: EdgeverseError.from(error).toWire() };
      }
      if (this.#clock.now() + wait >= target.deadline) return { kind: "error", error: trouble.toWire() };
      await pause(this.#clock, wait);
      wait = Math.min(LONGEST_PAUSE, wait * 2);
    }
  }

  /** Where to go at once; undefined to pause first and look at the map again. */
  async #redirect(moved: Moved, from: string, redirects: number): Promise<string | undefined> {
    const outdated = moved.mapVersion > this.map.document.version || moved.shards !== this.map.shards;
    if (moved.partition === null || ((outdated || redirects > 1) && this.#mayRefresh())) await this.#refresh();
    this.#cache.learn(moved);
    return moved.partition === null || moved.partition === from ? undefined : moved.partition;
  }

  /** Shards move by the hundred: the whole map is worth fetching once in a while, not for each of them. */
  #mayRefresh(): boolean {
    return this.#clock.now() - this.#refreshedAt >= REFRESH_EVERY;
  }

  #refresh(): Promise<void> {
    this.#refreshedAt = this.#clock.now();
    return this.#cache.refresh();
  }

  /** What the guessed map calls impossible may be fine by the real one. */
  #ownerOrRefresh(id: string): string | Promise<string> {
    try {
      return this.owner(id);
    } catch (error) {
      placementOf(id);
      // A partition may have been added, or shards, since this map.
      if (this.map.document.version > 0 && !this.#mayRefresh()) throw error;
      return this.#refresh().then(() => this.owner(id));
    }
  }

  #repeatable(message: CallMessage): boolean {
    if (message.reliable !== undefined) return true;
    try {
      return this.#registry.method(this.#registry.type(message.type), message.method).readonly;
    } catch {
      return false;
    }
  }
}
