import type { CoordinatorDurableObject } from "../durable/coordinator.ts";
import type { Env } from "../durable/environment.ts";
import type { GateClass } from "../durable/gate.ts";
import type { PartitionClass } from "../durable/partition.ts";
import type { Identity } from "../src/access/identity.ts";
import type { ObjectClass } from "../src/object/object-class.ts";
import type { IndexName, IndexValueOf } from "../src/object/object-index.ts";
import type { CreateParameters } from "../src/object/request-types.ts";
import type { Stub } from "../src/object/stub-types.ts";
import type { ReconcileReport } from "../src/reliable/maintenance-report.ts";
import type { FoundObjects, QueryOptions } from "../src/router/object-queries.ts";
import type { RemoteCallOptions, RemoteLifecycleOptions } from "../src/router/remote-objects.ts";

/** The part of an execution context that a host may use; hono's `c.executionCtx` is one too. */
export interface HostContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** The cron trigger that fired. */
export interface CronEvent {
  readonly cron: string;
}

/** A whole Worker: what one that does nothing else has as its default export. */
export interface HostWorker {
  /** Answers every request; what the host does not serve with a 404. */
  fetch(request: Request, env: Env, ctx: HostContext): Promise<Response>;
  /** Runs what the cron is for, and warns of one that is for nothing. */
  scheduled(event: CronEvent, env: Env, ctx: HostContext): Promise<void>;
}

/** Objects served from a Worker, and the way to them from the Worker's own code. */
export interface Host<Classes extends readonly ObjectClass[] = readonly ObjectClass[]> {
  readonly worker: HostWorker;
  /** The classes that it serves. Clients have their types from here. */
  readonly classes: Classes;

  /** The Durable Object classes behind, which the Worker exports by these names. */
  readonly Partition: PartitionClass;
  /** Only for hosts with the option `push`. */
  readonly Gate: GateClass;
  readonly Coordinator: typeof CoordinatorDurableObject;

  /**
   * Answers a request for one of Edgeverse's paths ([HOST1]). Any other is `next`'s to answer; without `next` the answer is
   * `undefined`.
   *
   * @example
   * app.use((c, next) => host.fetch(c.req.raw, c.env, c.executionCtx, next)); // hono
   */
  fetch(request: Request, env: Env, ctx: HostContext): Promise<Response | undefined>;
  fetch<Next>(request: Request, env: Env, ctx: HostContext, next: () => Next): Promise<Response | Awaited<Next>>;

  /** Runs what the cron is for; nothing for one that is the author's ([HOST3]). */
  scheduled(event: CronEvent, env: Env, ctx: HostContext): Promise<void>;

  /**
   * For whom a request to a route of yours is made, by the host's own `authenticate`; null for a client that is anonymous.
   * What it gives is what `object` takes as `identity`.
   *
   * @throws EdgeverseError `UNAUTHENTICATED`
   * @example
   * const identity = await host.authenticate(env, request);
   * const { balance } = await host.object(env, Wallet, "ann", { identity }).getBalance();
   */
  authenticate(env: Env, request: Request): Promise<Identity | null>;

  /**
   * An object, for the Worker's own code: any handler, other Durable Objects, Workflows ([HOST2]). With `callId` its calls are
   * reliable. In an object use `this.object`: it knows the turn that calls.
   *
   * @throws EdgeverseError `TYPE_NOT_FOUND`, `INVALID_ID` or `INVALID_ARGUMENT`; so do the calls, with any code
   * @example
   * const { balance } = await host.object(env, Wallet, "ann").deposit({ amount: 5 });
   */
  object<Class extends Classes[number]>(env: Env, type: Class, id: string, options?: RemoteCallOptions): Stub<Class>;

  /** Creates an object; false when it was there already, and the request then counts for nothing. @throws EdgeverseError */
  create<Class extends Classes[number]>(
    env: Env,
    type: Class,
    id: string,
    ...parameters: CreateParameters<Class, RemoteLifecycleOptions>
  ): Promise<boolean>;

  /**
   * Finds objects by an index of their class, in all partitions ([IDX2]). What it has of each object is of one moment, but
   * not of the same moment for all.
   *
   * With `identity` it finds what that client may find ([ACC1]).
   *
   * @throws EdgeverseError `INVALID_ARGUMENT`, `ACCESS_DENIED`, `UNAUTHENTICATED`; `UNAVAILABLE`, with the reason
   * `INDEX_BUILDING` while an index is being built
   * @example
   * const { objects, cursor } = await host.query(env, Auction, { index: "open", value: true });
   */
  query<Class extends Classes[number], Name extends IndexName<Class>>(
    env: Env,
    type: Class,
    options: QueryOptions<Name, IndexValueOf<Class, Name>>,
  ): Promise<FoundObjects<IndexValueOf<Class, Name>>>;

  /**
   * Runs the log's pending calls that nobody runs ([CALL11]): for a Worker that has made some with `enqueueCall`.
   *
   * @throws EdgeverseError `LOG_UNAVAILABLE`
   * @example
   * ctx.waitUntil(host.reconcile(env));
   */
  reconcile(env: Env): Promise<ReconcileReport>;

  /** Deletes an object, if it is there. @throws EdgeverseError */
  delete(env: Env, type: Classes[number], id: string, options?: RemoteLifecycleOptions): Promise<void>;
}
