import { DurableObject } from "cloudflare:workers";
import { ApiKeys, type NewApiKey } from "../src/coordinator/api-keys.ts";
import type {
  AdminCommand,
  CallCommand,
  EventCommand,
  MovesQuery,
  Operator,
  SettingsView,
} from "../src/coordinator/commands.ts";
import { Coordinator, type CoordinatorStatus } from "../src/coordinator/coordinator.ts";
import type { Bootstrapped } from "../src/coordinator/coordinator-options.ts";
import type { LoadReport } from "../src/placement/load-report.ts";
import type { Genesis, MapDocument } from "../src/placement/shard-map.ts";
import { isUnused } from "../src/platform/is-unused.ts";
import { NO_DOCUMENT } from "../src/settings/document.ts";
import { write } from "./console-observer.ts";
import { DurableStorage } from "./durable-storage.ts";
import { type CoordinatorRpc, type Deployment, deploymentOf, type Env } from "./environment.ts";
import { clock } from "./platform.ts";

/** Of a cluster that nobody has used. */
const NO_SETTINGS: SettingsView = { ...NO_DOCUMENT, at: 0, actor: "", requestId: "", from: null, receipts: [] };

/**
 * The Durable Object that holds the shard map and moves shards. One a cluster; it has no `fetch`, only this worker's code can
 * reach it. Its memory may vanish at any await: its alarm brings it back while anything is under way.
 */
export class CoordinatorDurableObject extends DurableObject<Env> implements CoordinatorRpc {
  readonly #storage: DurableStorage;
  readonly #deployment: Deployment;
  #made: Coordinator | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#storage = new DurableStorage(ctx.storage);
    this.#deployment = deploymentOf(env);
  }

  /** Made when it is first needed, since it makes its tables: a look at a cluster before its bootstrap leaves nothing. */
  get #coordinator(): Coordinator {
    const { settings, connect, proposal, gates } = this.#deployment;
    this.#made ??= new Coordinator({
      storage: this.#storage,
      clock,
      connect,
      proposal,
      settings: settings(),
      gates,
      warn: (event, details) => write("error", event, details),
    });
    return this.#made;
  }

  /** Nobody has needed it, now or in an earlier process. */
  get #unused(): boolean {
    return this.#made === undefined && isUnused(this.#storage);
  }

  override alarm(): Promise<void> {
    return this.#coordinator.wake();
  }

  async bootstrap(proposal: Genesis): Promise<Bootstrapped> {
    return this.#coordinator.bootstrap(proposal);
  }

  async map(): Promise<MapDocument | undefined> {
    return this.#unused ? undefined : this.#coordinator.map();
  }

  async status(): Promise<CoordinatorStatus> {
    return this.#unused ? { bootstrapped: false, bootstrappedAt: null, mapVersion: 0 } : this.#coordinator.status();
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

  auditCall(command: CallCommand | EventCommand, operator: Operator, outcome: string) {
    return this.#coordinator.auditCall(command, operator, outcome);
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

  /** Over the coordinator's tables, which it makes. */
  get #keys(): ApiKeys {
    const coordinator = this.#coordinator;
    return new ApiKeys(this.#storage, clock, (prefix) => coordinator.revoked(prefix));
  }

  makeKey(key: NewApiKey, operator: Operator) {
    return this.#keys.make(key, operator);
  }

  revokeKey(prefix: string, operator: Operator) {
    return this.#keys.revoke(prefix, operator);
  }

  async listKeys(query: { readonly limit: number; readonly before?: number | undefined }) {
    return this.#unused ? [] : this.#keys.list(query);
  }

  async findKey(prefix: string, hash: string) {
    return this.#unused ? null : this.#keys.find(prefix, hash);
  }

  async settings(version?: number) {
    return this.#unused ? NO_SETTINGS : this.#coordinator.settings(version);
  }

  async settingsVersions() {
    return this.#unused ? [] : this.#coordinator.settingsVersions();
  }

  async newerSettings(known: number) {
    return this.#unused ? null : this.#coordinator.newerSettings(known);
  }

  audit(query: { readonly limit: number; readonly before?: number | undefined }) {
    return this.#coordinator.audit(query);
  }
}
