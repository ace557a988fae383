import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { DROPPED, leftCall } from "../object/left-call.ts";
import type { CallMessage, FinalReply, LifecycleMessage, Moved } from "../object/message.ts";
import type { Registry } from "../object/registry.ts";
import type { ShardMap } from "../placement/shard-map.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { SettingsFollower } from "../settings/settings-follower.ts";
import { type Answered, Batch } from "./batch.ts";
import { Directory, MAX_REDIRECTS, notCalled, type ObjectRef } from "./directory.ts";
import { Pauses } from "./pauses.ts";
import type { Connect, MapCache, PartitionClient, Told } from "./ports.ts";
import { remoteFault } from "./remote-fault.ts";

/** Ms that the answer to a call may take beyond the call's deadline: the partition answers at the deadline at the latest. */
const GRACE = 2_000;

/**
 * Takes calls to the partition that owns their object ([MAP1], [MAP3]). It guesses the owner from the cached map, learns
 * better from a partition that says MOVED, and tries again within the call's deadline. A partition that can't be reached is
 * asked again only where that can't run a call twice: a reliable call, or a readonly method. One that is silent is waited
 * for until soon after the deadline.
 */
export class Router {
  readonly #registry: Registry;
  readonly #connect: Connect;
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #settings: SettingsFollower | undefined;
  readonly #background: (work: Promise<unknown>) => void;

  /**
   * @param parts.settings hears from the partitions whether there are newer ones
   * @param parts.background keeps the process until work is done that nobody waits for
   */
  constructor(parts: {
    registry: Registry;
    connect: Connect;
    cache: MapCache;
    clock: Clock;
    settings?: SettingsFollower | undefined;
    background?: (work: Promise<unknown>) => void;
  }) {
    this.#settings = parts.settings;
    this.#background = parts.background ?? (() => undefined);
    this.#registry = parts.registry;
    this.#connect = parts.connect;
    this.#directory = new Directory(parts.cache, parts.clock, parts.registry);
    this.#clock = parts.clock;
  }

  get map(): ShardMap {
    return this.#directory.map;
  }

  /** Takes the coordinator's map, if it can be had: for views that should be up to date. */
  refresh(): Promise<void> {
    return this.#directory.refresh();
  }

  /** @throws EdgeverseError `INVALID_ID` */
  owner(object: ObjectRef): string {
    return this.#directory.owner(object);
  }

  /** Whether an id says where its objects are, with its type or alone. */
  locates(type: string | undefined): boolean {
    return this.#registry.locates(type);
  }

  /**
   * Never rejects.
   *
   * @param signal of the client: when it is gone, a plain call that has not begun is dropped ([TURN12])
   */
  call(message: CallMessage, signal?: AbortSignal): Promise<FinalReply> {
    if (message.reliable === undefined) this.#onGone(signal, () => [message]);
    return this.#follow(
      message,
      GRACE,
      (client) => client.call(message, this.#settings?.seen),
      () => this.#repeatable(message),
      this.#settings,
      signal,
    );
  }

  /** Never rejects. Not repeated: between two deletions of one request somebody else may have written, and been answered. */
  lifecycle(message: LifecycleMessage, signal?: AbortSignal): Promise<FinalReply> {
    this.#onGone(signal, () => [message]);
    return this.#follow(
      message,
      GRACE,
      (client) => client.lifecycle(message, this.#settings?.seen),
      () => false,
      this.#settings,
      signal,
    );
  }

  /**
   * Many calls; replies in the order of `messages`. Calls of one object run in their order. Never rejects.
   *
   * @param answered hears of each reply as soon as it is there
   * @param isLeft whether nobody waits for a call any more: what is not sent is not sent then
   */
  batch(
    messages: readonly CallMessage[],
    answered?: Answered,
    isLeft?: (index: number) => boolean,
  ): Promise<FinalReply[]> {
    const parts = {
      clock: this.#clock,
      directory: this.#directory,
      settings: this.#settings,
      repeatable: (message: CallMessage) => this.#repeatable(message),
      ask: <T>(partition: string, deadline: number, question: (client: PartitionClient) => Promise<T>) =>
        this.#ask(partition, deadline + GRACE, question),
    };
    return new Batch(parts, messages, answered, isLeft).run();
  }

  /** All calls of one client, as a batch. Never rejects. */
  batchOf(messages: readonly CallMessage[], signal: AbortSignal): Promise<FinalReply[]> {
    this.#onGone(signal, () => messages.filter(({ reliable }) => reliable === undefined));
    return this.batch(messages, undefined, () => signal.aborted);
  }

  /** Tells partitions that nobody waits for these calls any more. The map says where they are: what is on its way stays there. */
  withdraw(messages: readonly (CallMessage | LifecycleMessage)[]): void {
    for (const [owner, calls] of Map.groupBy(messages, (message) => this.#placeOf(message))) {
      if (owner === undefined) continue;
      const asked = async () => this.#connect(owner).withdraw(calls.map(leftCall));
      this.#background(asked().catch(() => undefined));
    }
  }

  /** Asks the owner of an object something that changes nothing, until `deadline`. @throws EdgeverseError `UNAVAILABLE`, `OVERLOADED` */
  async ask<Answer>(
    { type, id }: ObjectRef,
    deadline: number,
    question: (client: PartitionClient) => Promise<Answer | { readonly movedTo: string }>,
  ): Promise<Answer> {
    // A partition that nobody has called yet takes the guess for right: it must not become part of a cluster over a question.
    await this.#directory.refreshGuess();
    const reply = await this.#follow<Moved | { kind: "answer"; answer: Answer }>(
      { type, id, deadline },
      0,
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

  async #follow<Answer extends { kind: string }>(
    target: ObjectRef & { readonly deadline: number },
    grace: number,
    send: (client: PartitionClient) => Promise<Answer | Moved>,
    repeatable: () => boolean,
    settings?: SettingsFollower,
    signal?: AbortSignal,
  ): Promise<Exclude<Answer, Moved> | Extract<FinalReply, { kind: "error" }>> {
    let pauses: Pauses | undefined;
    let hint: string | undefined;
    let redirects = 0;
    let faults = 0;
    for (;;) {
      if (signal?.aborted === true) return { kind: "error", error: DROPPED.toWire() };
      let trouble: EdgeverseError;
      try {
        // An `await` that need not be costs each call a turn of the queue.
        const known = hint ?? this.#directory.ownerOrRefresh(target);
        const owner = typeof known === "string" ? known : await known;
        try {
          const reply: Told<Answer | Moved> = await this.#ask(owner, target.deadline + grace, send);
          settings?.answered(reply.settings);
          if (reply.kind !== "moved") return reply as Exclude<Answer, Moved>;
          hint = await this.#directory.redirect(reply as Moved, owner, ++redirects);
          if (hint !== undefined && redirects <= MAX_REDIRECTS) continue;
          trouble = notCalled();
        } catch (cause) {
          const { error, again, outcome } = remoteFault(cause, owner);
          // The call may have run: repeating it is its caller's decision, and no safe default.
          if (outcome === "unknown" && !repeatable())
            return { kind: "error", error: { ...error.toWire(), retryable: false } };
          if (++faults > again) return { kind: "error", error: error.toWire() };
          trouble = error;
          hint = undefined;
        }
      } catch (error) {
        return { kind: "error", error: EdgeverseError.from(error).toWire() };
      }
      pauses ??= new Pauses(this.#clock);
      if (pauses.end >= target.deadline) return { kind: "error", error: trouble.toWire() };
      await pauses.wait();
    }
  }

  /** Asks a partition. One that has not answered by `until` counts as unreachable: what it was asked may have run. */
  #ask<T>(partition: string, until: number, question: (client: PartitionClient) => Promise<T>): Promise<T> {
    return within(this.#clock, until - this.#clock.now(), question(this.#connect(partition)), silent);
  }

  #onGone(signal: AbortSignal | undefined, calls: () => readonly (CallMessage | LifecycleMessage)[]): void {
    signal?.addEventListener("abort", () => this.withdraw(calls()));
  }

  #placeOf(message: CallMessage | LifecycleMessage): string | undefined {
    try {
      return this.#directory.owner(message);
    } catch {
      return undefined;
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

function silent(): Error {
  return new Error("the partition did not answer in time");
}
