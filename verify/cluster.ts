import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "./deployment.ts";
import { bodyOf, isTrue, shown } from "./expect.ts";
import { NotApplicable } from "./failure.ts";

export interface ShardView {
  readonly shard: number;
  readonly partition: string;
  readonly epoch: number | null;
  readonly claimed: boolean | null;
  readonly why: string;
  readonly pinned: boolean | null;
  readonly moving: object | null;
}

export interface ObjectView {
  readonly hash: string | null;
  readonly shard: number | null;
  readonly partition: string;
  readonly epoch: number;
  readonly exists: boolean;
  readonly why: string;
}

interface MoveView {
  readonly id: number;
  readonly phase: string;
  readonly to: string;
  readonly trouble: string | null;
}

type Admin = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Ms between two looks at something that takes its time. */
const LOOK_EVERY = 100;
/** Ms for what takes moments when all is well. */
const WAIT = 30_000;
const TRIES = 20;

/** What operators do, as checks need it. */
export class Cluster {
  readonly #admin: Admin;
  readonly #signal: AbortSignal;

  constructor(admin: Admin, signal: AbortSignal) {
    this.#admin = admin;
    this.#signal = signal;
  }

  async get<Body>(path: string): Promise<Body> {
    return bodyOf<Body>(await this.#admin("GET", path), `GET ${path}`);
  }

  /** Orders a change. @throws Failure when it is refused */
  async order<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.#admin(method, path, body);
    isTrue(
      answer.status === 200 || answer.status === 201 || answer.status === 202,
      `${method} ${path}: ${shown(answer)}`,
    );
    return answer.json as Body;
  }

  object(type: string, id: string): Promise<ObjectView> {
    return this.get(`objects/${type}/${encodeURIComponent(id)}`);
  }

  shard(shard: number): Promise<ShardView> {
    return this.get(`shards/${shard}`);
  }

  /**
   * A shard that nobody has pinned, and that nothing lives on if there is one such: what is done to it hurts nobody.
   * @throws NotApplicable when there is none
   */
  async quietShard(shards: number): Promise<number> {
    let found: number | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      const view = await this.shard(Math.floor(Math.random() * shards));
      if (view.pinned !== false || view.moving !== null) continue;
      if (view.claimed === false) return view.shard;
      found ??= view.shard;
    }
    if (found === undefined) throw new NotApplicable(`none of ${TRIES} shards is free of pins and moves`);
    return found;
  }

  /** Moves a shard, and waits until it is there. @throws Failure when it does not get there */
  async move(shard: number, partition: string): Promise<void> {
    const { id } = await this.order<MoveView>("POST", `shards/${shard}/move`, { partition });
    await this.moved(shard, id);
  }

  /** Waits until a move has ended well. */
  async moved(shard: number, id: number): Promise<void> {
    await this.until(`the move of shard ${shard}`, async () => {
      const { moves } = await this.get<{ moves: MoveView[] }>(`moves?shard=${shard}&limit=10`);
      const move = moves.find((each) => each.id === id);
      isTrue(move !== undefined, `move ${id} is not in the list of moves`);
      isTrue(move.phase !== "undone", `the move was undone: ${move.trouble}`);
      return move.phase === "done";
    });
  }

  /** Waits until no move of the shard is under way. */
  settled(shard: number): Promise<void> {
    return this.until(`the end of moves of shard ${shard}`, async () => (await this.shard(shard)).moving === null);
  }

  /** Brings a shard back to where it was, if it is elsewhere. */
  async bringBack(shard: number, partition: string): Promise<void> {
    if ((await this.shard(shard)).partition !== partition) await this.move(shard, partition);
  }

  /** Waits until something is so. @throws Failure when it takes too long */
  async until(what: string, done: () => Promise<boolean>, ms = WAIT): Promise<void> {
    const deadline = performance.now() + ms;
    while (!(await done())) {
      isTrue(performance.now() < deadline, `${what} took more than ${ms / 1_000} s`);
      await sleep(LOOK_EVERY, undefined, { signal: this.#signal });
    }
  }
}
