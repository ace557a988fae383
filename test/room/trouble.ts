import { setTimeout as sleep } from "node:timers/promises";
import { placementOf, shardOf } from "../../src/identity/object-id.ts";
import type { KillableHost } from "../support/killable-host.ts";
import type { Cable } from "./library-member.ts";
import type { Member } from "./member.ts";

export const PARTITIONS = ["p0", "p1", "p2"] as const;
export const SHARDS = 8;

interface Parts {
  readonly host: KillableHost;
  readonly members: readonly Member[];
  readonly cable: Cable;
  readonly gates: readonly string[];
  readonly random: () => number;
  /** Ms between two things that end; cuts come more often. */
  readonly every: number;
}

/** What happens to the room: connections break, gates and partitions end, its shard moves, the host is killed. */
export class Trouble {
  readonly counts: { [what: string]: number } = {};
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @param kills whether the host may be killed now */
  async run(stop: AbortSignal, kills: () => boolean): Promise<void> {
    await Promise.all([this.#cuts(stop), this.#moves(stop), this.#ends(stop, kills)]);
  }

  async #cuts(stop: AbortSignal): Promise<void> {
    const { random, members, cable } = this.#parts;
    while (!stop.aborted) {
      for (const member of this.#some(0.005)) this.#did("cut", () => member.cut());
      for (const member of this.#some(0.001)) this.#did("second connection", () => member.moveOver());
      for (const member of this.#some(0.001)) this.#did("pause", () => member.sleep(random() * 5_000));
      if (random() < 0.1) this.#did("cut of the library", () => cable.cut(random));
      if (random() < 0.01) for (const member of members) if (random() < 0.5) this.#did("cut", () => member.cut());
      await sleep(250);
    }
  }

  async #moves(stop: AbortSignal): Promise<void> {
    const { random, host, every } = this.#parts;
    const placement = placementOf("main");
    if (placement.kind === "partition") throw new Error("the room is on a shard");
    const shard = shardOf(placement, SHARDS);
    while (!stop.aborted) {
      const partition = this.#pick(PARTITIONS);
      // It may be there already, or on its way, or the host may be down.
      const moved = await host.admin("POST", `shards/${shard}/move`, { partition }).catch(() => undefined);
      if (moved !== undefined) this.counts["move"] = (this.counts["move"] ?? 0) + 1;
      await sleep(every * (0.2 + 0.6 * random()));
    }
  }

  async #ends(stop: AbortSignal, kills: () => boolean): Promise<void> {
    const { random, host, gates, every } = this.#parts;
    const die = (name: string) => fetch(`${host.url}/room/die?name=${name}`, { signal: AbortSignal.timeout(10_000) });
    for (let turn = 0; ; turn++) {
      await sleep(every * (0.5 + random()), undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted) return;
      // Each kind comes soon in a short run, too.
      const what = turn < 3 ? turn : Math.floor(random() * 5);
      const gone = () => undefined;
      if (what === 0 && kills()) await this.#did("kill -9", () => host.kill());
      else if (what === 1) await this.#did("partition's end", () => die(this.#pick(PARTITIONS)).catch(gone));
      else await this.#did("gate's end", () => die(this.#pick(gates)).catch(gone));
    }
  }

  #did(what: string, action: () => unknown): unknown {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    return action();
  }

  #some(share: number): Member[] {
    return this.#parts.members.filter(() => this.#parts.random() < share);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#parts.random() * items.length)] as Item;
  }
}
