import { Counter } from "../../examples/counter.ts";
import type { WireError } from "../../src/errors/edgeverse-error.ts";
import type { CallMessage, Moved, Reply } from "../../src/object/message.ts";
import { Registry } from "../../src/object/registry.ts";
import { type Genesis, type MapDocument, ShardMap } from "../../src/placement/shard-map.ts";
import type { Clock } from "../../src/platform/ports.ts";
import { LearnedMap } from "../../src/router/map-cache.ts";
import type { PartitionClient } from "../../src/router/ports.ts";
import { Router } from "../../src/router/router.ts";

export const GENESIS: Genesis = { shards: 16, members: ["p0", "p1", "p2"].map((name) => ({ name, weight: 1 })) };
export const MAP = new ShardMap({ version: 1, genesis: GENESIS, exceptions: [] });

/** A clock on which pauses cost no time to wait for. */
export class JumpClock implements Clock {
  soon(action: () => void): void {
    this.after(0, action);
  }
  time = 1_000_000;
  readonly pauses: number[] = [];

  now(): number {
    return this.time;
  }

  after(delay: number, action: () => void): () => void {
    let live = true;
    // What can be answered is, before a timer fires.
    setImmediate(() => {
      if (!live) return;
      this.pauses.push(delay);
      this.time += delay;
      action();
    });
    return () => {
      live = false;
    };
  }
}

export type Answer = Reply | Error | ((id: string) => Reply | Error | Promise<never>);

/** Partitions that answer as they are told, call by call; the last answer stays. */
export class Partitions {
  readonly clock = new JumpClock();
  readonly sent: [partition: string, what: string, at: number][] = [];
  readonly batches: [partition: string, ids: string[]][] = [];
  readonly answers = new Map<string, Answer[]>();
  readonly rooms: [partition: string, room: number][] = [];
  /** The most that were under way at the same time. */
  batchesAtOnce = 0;
  #underWay = 0;
  /** How often the coordinator was asked for its map. */
  maps = 0;
  /** The coordinator's map; undefined: it can't be had. */
  document: MapDocument | undefined;
  /** The next batch to a partition breaks off. */
  readonly brokenBatches = new Map<string, Error>();
  /** Ms that a message takes. */
  latency = 0;
  /** A router that sends more than this will never stop by itself. */
  most = 5_000;

  answer(partition: string, ...answers: Answer[]): void {
    this.answers.set(partition, answers);
  }

  connect(partition: string): PartitionClient {
    const call = async (message: { readonly id: string }): Promise<Reply> => {
      this.sent.push([partition, message.id, this.clock.time]);
      if (this.sent.length > this.most)
        throw Object.assign(new Error("the router does not stop"), { overloaded: true });
      this.clock.time += this.latency;
      const answers = this.answers.get(partition) ?? [];
      const next = answers.length > 1 ? answers.shift() : answers[0];
      const answer = typeof next === "function" ? next(message.id) : (next ?? ok(`${partition}:${message.id}`));
      if (answer instanceof Error) throw answer;
      return await answer;
    };
    return {
      call,
      lifecycle: call,
      batch: async (messages: readonly CallMessage[], room: number) => {
        this.batches.push([partition, messages.map(({ id }) => id)]);
        this.rooms.push([partition, room]);
        this.#underWay++;
        this.batchesAtOnce = Math.max(this.batchesAtOnce, this.#underWay);
        await undefined;
        this.#underWay--;
        const broken = this.brokenBatches.get(partition);
        this.brokenBatches.delete(partition);
        if (broken !== undefined) throw broken;
        // Like a partition: a response that does not fit closes the room.
        let left = room;
        const replies: Reply[] = [];
        for (const message of messages) {
          const reply: Reply = left < 0 ? full : await call(message);
          if (reply.kind === "response") left -= reply.response.length;
          replies.push(left < 0 ? full : reply);
        }
        return replies;
      },
      callRecord: async (_type: string, id: string) => {
        const reply = await call({ id });
        return reply.kind === "moved" ? { movedTo: reply.partition } : null;
      },
    } as unknown as PartitionClient;
  }
}

const full: Reply = { kind: "error", error: { code: "OVERLOADED", message: "full", retryable: true } };
export const ok = (response: string): Reply => ({ kind: "response", response });
export const broken = (marks: object = { retryable: true }) => Object.assign(new Error("connection lost"), marks);

/** An id on the given shard, and the partitions that do and do not own it. */
export const ID = "shard#3/a";
export const OWNER = MAP.owner(3);
export const [OTHER, THIRD] = MAP.partitions.filter((name) => name !== OWNER) as [string, string];

export function moved(partition: string, changes: Partial<Moved> = {}): Moved {
  return { kind: "moved", shard: 3, shards: 16, partition, epoch: 2, mapVersion: 1, ...changes };
}

export let partitions: Partitions;
export let router: Router;

export function startAgain(names: unknown = undefined): void {
  partitions = new Partitions();
  const members = Array.isArray(names) ? names.map((name: string) => ({ name, weight: 1 })) : GENESIS.members;
  const genesis = { ...GENESIS, members };
  partitions.document = { version: 1, genesis, exceptions: [] };
  router = new Router({
    registry: new Registry([Counter]),
    connect: (name) => partitions.connect(name),
    cache: new LearnedMap(genesis, async () => {
      partitions.maps++;
      return partitions.document;
    }),
    clock: partitions.clock,
  });
}

export function message(changes: Partial<CallMessage> = {}): CallMessage {
  return {
    type: "Counter",
    id: ID,
    method: "add",
    request: '{"by":1}',
    deadline: partitions.clock.time + 10_000,
    requestId: "r",
    caller: { kind: "client" },
    ...changes,
  };
}

export const READONLY = { method: "get" };
export const RELIABLE = { reliable: { callId: "c", answer: "outcome" } } as const;
export const to = () => partitions.sent.map(([partition]) => partition);
export const codeOf = (reply: { kind: string; error?: WireError }) => reply.error?.code ?? reply.kind;
