import { DurableObject } from "cloudflare:workers";
import type { AdminCommand, MovesQuery, Operator } from "../src/coordinator/commands.ts";
import { Coordinator, type CoordinatorStatus } from "../src/coordinator/coordinator.ts";
import { policyOf } from "../src/coordinator/policy.ts";
import type { LoadReport } from "../src/placement/load-report.ts";
import type { Genesis, MapDocument } from "../src/placement/shard-map.ts";
import { write } from "./console-observer.ts";
import { DurableStorage } from "./durable-storage.ts";
import { type CoordinatorRpc, deploymentOf, type Env } from "./environment.ts";
import { clock } from "./platform.ts";

/**
 * The Durable Object that holds the shard map and moves shards. One a cluster; it has no `fetch`, only this worker's code can
 * reach it. Its memory may vanish at any await: its alarm brings it back while anything is under way.
 */
export class CoordinatorDurableObject extends DurableObject<Env> implements CoordinatorRpc {
  readonly #coordinator: Coordinator;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { config, connect, proposal } = deploymentOf(env);
    this.#coordinator = new Coordinator({
      storage: new DurableStorage(ctx.storage),
      clock,
      connect,
      proposal,
      policy: policyOf(config),
      limits: { stall: config.moveStall, longest: config.moveLimit },
      warn: (event, details) => write("error", event, details),
    });
  }

  override alarm(): Promise<void> {
    return this.#coordinator.wake();
  }

  async bootstrap(proposal: Genesis): Promise<{ readonly genesis: Genesis; readonly shards: number }> {
    return this.#coordinator.bootstrap(proposal);
  }

  async map(): Promise<MapDocument | undefined> {
    return this.#coordinator.map();
  }

  async status(): Promise<CoordinatorStatus> {
    return this.#coordinator.status();
  }

  wake(): Promise<void> {
    return this.#coordinator.wake();
  }

  report(report: LoadReport) {
    return this.#coordinator.report(report);
  }

  execute(command: AdminCommand, operator: Operator) {
    return this.#coordinator.execute(command, operator);
  }

  view() {
    return this.#coordinator.view();
  }

  notes() {
    return this.#coordinator.notes();
  }

  moves(query: MovesQuery) {
    return this.#coordinator.moves(query);
  }

  audit(query: { readonly limit: number; readonly before?: number | undefined }) {
    return this.#coordinator.audit(query);
  }
}
