import { DurableObject } from "#cloudflare";
import { Coordinator, type CoordinatorStatus } from "../src/coordinator/coordinator.ts";
import type { Genesis, MapDocument } from "../src/placement/shard-map.ts";
import { DurableStorage } from "./durable-storage.ts";
import type { Env } from "./environment.ts";
import { clock } from "./platform.ts";

/** The Durable Object that holds the shard map. One a cluster; it has no `fetch`, only this worker's code can reach it. */
export class CoordinatorDurableObject extends DurableObject<Env> {
  readonly #coordinator: Coordinator;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#coordinator = new Coordinator(new DurableStorage(ctx.storage), clock);
  }

  async found(proposal: Genesis): Promise<Genesis> {
    return this.#coordinator.found(proposal);
  }

  async map(): Promise<MapDocument | undefined> {
    return this.#coordinator.map();
  }

  async status(): Promise<CoordinatorStatus> {
    return this.#coordinator.status();
  }
}
