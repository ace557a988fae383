import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresServer } from "../support/postgres-server.ts";
import { PARTITIONS, SILENT, type SoakHost } from "./host.ts";

const SHARDS = 32;

/** What happens to the cluster while clients call: shards move all the time, and beside that something fails. */
export class Disturbances {
  /** How often each happened. */
  readonly counts: Record<string, number> = {};
  /** Orders that the cluster refused, which it may. */
  readonly refused: Record<string, number> = {};
  readonly #host: SoakHost;
  readonly #postgres: PostgresServer | undefined;
  readonly #random: () => number;
  #silent = false;

  constructor(host: SoakHost, postgres: PostgresServer | undefined, random: () => number) {
    this.#host = host;
    this.#postgres = postgres;
    this.#random = random;
  }

  /** Moves, drains and changes of the shard count, one after the other. */
  async move(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const dice = this.#random();
      if (dice < 0.8) await this.#attempt("move", () => this.#moveOne());
      else if (dice < 0.9) await this.#attempt("drain", () => this.#drain(stop));
      else await this.#attempt("shard count", () => this.#reshard());
      await sleep(200 + this.#random() * 400);
    }
  }

  /** One failure after the other, with time between them. `kills` says whether processes may end now. */
  async fail(stop: AbortSignal, kills: () => boolean): Promise<void> {
    while (!stop.aborted) {
      await sleep(2_000 + this.#random() * 4_000);
      if (stop.aborted) return;
      const dice = this.#random();
      if (dice < 0.3 && kills()) await this.#attempt("kill -9", () => this.#host.kill());
      else if (dice < 0.6 && this.#postgres !== undefined) await this.#attempt("Postgres away", () => this.#outage());
      else await this.#attempt("silent partition", () => this.#silence());
    }
  }

  /** Puts all in order again. */
  async end(): Promise<void> {
    for (const name of PARTITIONS) await this.#host.admin("POST", `partitions/${name}/uncordon`).catch(() => {});
  }

  async #attempt(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.counts[what] = (this.counts[what] ?? 0) + 1;
    } catch {
      // Killed in between, or in conflict with what is under way.
      this.refused[what] = (this.refused[what] ?? 0) + 1;
    }
  }

  async #moveOne(): Promise<void> {
    const { target, shards } = await this.#host.admin<{ target: number | null; shards: number }>("GET", "shard-count");
    if (target !== null) return;
    const shard = Math.floor(this.#random() * shards);
    // To a partition that is silent: its shard must be served where it is, all the time.
    const to = this.#silent && this.#random() < 0.3 ? SILENT : this.#pick(PARTITIONS);
    await this.#host.admin("POST", `shards/${shard}/move`, { partition: to });
  }

  async #drain(stop: AbortSignal): Promise<void> {
    const name = this.#pick(PARTITIONS);
    await this.#host.admin("POST", `partitions/${name}/drain`);
    await sleep(3_000, undefined, { signal: stop }).catch(() => {});
    await this.#host.admin("POST", `partitions/${name}/uncordon`);
  }

  async #reshard(): Promise<void> {
    await this.#host.admin("POST", "shard-count", { count: this.#pick([SHARDS, SHARDS * 2]) });
  }

  async #outage(): Promise<void> {
    const postgres = this.#postgres as PostgresServer;
    await postgres.pause();
    await sleep(2_000 + this.#random() * 6_000);
    await postgres.resume();
  }

  /** Only when no shard is there or on its way: what is served by a silent partition is not served. */
  async #silence(): Promise<void> {
    for (;;) {
      const { moves } = await this.#host.admin<{ moves: { to: string }[] }>("GET", "moves?active=true&limit=1000");
      const { shards } = await this.#host.admin<{ shards: { shard: number }[] }>(
        "GET",
        `shards?partition=${SILENT}&limit=1000`,
      );
      if (shards.length === 0 && moves.every(({ to }) => to !== SILENT)) break;
      for (const { shard } of shards) {
        await this.#host.admin("POST", `shards/${shard}/move`, { partition: this.#pick(PARTITIONS) }).catch(() => {});
      }
      await sleep(500);
    }
    this.#silent = true;
    try {
      await this.#host.silence(4_000 + this.#random() * 12_000);
    } finally {
      this.#silent = false;
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item;
  }
}
