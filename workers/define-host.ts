import { consoleObserver } from "../durable/console-observer.ts";
import { CoordinatorDurableObject } from "../durable/coordinator.ts";
import type { Env } from "../durable/environment.ts";
import { EventHost, type EventOptions } from "../durable/event-sinks.ts";
import { gateClass } from "../durable/gate.ts";
import { partitionClass } from "../durable/partition.ts";
import type { AccessRule } from "../src/access/access.ts";
import { type AdminRoles, adminRolesFault } from "../src/http/admin/roles.ts";
import type { Authenticator } from "../src/http/authentication.ts";
import { checkBasePath, isOurs } from "../src/http/base-path.ts";
import { Cors, type CorsOptions } from "../src/http/cors.ts";
import { rawPath } from "../src/http/request.ts";
import { checkLimits, type Limits } from "../src/limits/limits-schema.ts";
import type { Checked } from "../src/object/contract.ts";
import type { TopicOf } from "../src/object/event.ts";
import type { ObjectClass } from "../src/object/object-class.ts";
import { Registry } from "../src/object/registry.ts";
import { type PushOptions, PushRules } from "../src/push/push-rules.ts";
import type { FoundObjects } from "../src/router/object-queries.ts";
import { type Crons, DEFAULT_CRONS, runCron, tasksOf } from "./cron.ts";
import type { CronEvent, Host } from "./host.ts";
import { type HostServices, hostServices } from "./host-services.ts";

export interface HostOptions<Classes extends readonly ObjectClass[] = readonly ObjectClass[]> {
  /** The classes this deployment serves. One whose schemas and types disagree does not compile here ([OBJ6]). */
  readonly objects: Classes & Checked<Classes>;
  /** Where the events go that its objects emit: sinks by names of your choice. Every topic needs one ([EVT3]). */
  readonly events?: EventOptions<TopicOf<Classes[number]>>;
  /** Where Edgeverse's paths begin, such as `"/edge"`; default: at the root ([HOST1]). */
  readonly basePath?: string;
  /**
   * Says for whom a request is made ([ACC2]). Several are asked in their order; without any, every client is anonymous.
   * `edgeverse/jwt` has one for JSON Web Tokens.
   */
  readonly authenticate?: Authenticator | readonly Authenticator[];
  /**
   * Which identities may use the admin API, by their roles, beside those with its tokens ([ACC3]): `{ viewer: ["support"],
   * admin: ["root"] }`. Without it none may. An API key or a token with such a role is as good as the admin token.
   */
  readonly admin?: AdminRoles;
  /** Who may call what, over what the classes say ([ACC1]): the first rule that fits decides. */
  readonly access?: readonly AccessRule[];
  /** How often clients may call, by names of your choice ([LIM1]). Without it, as often as they like. */
  readonly limits?: Limits;
  /** Pages of which other sites may use the host ([CORS1]). Without it, of none. */
  readonly cors?: CorsOptions;
  /** What clients may do over a connection: who may connect, and listen to which topics. Without it none do ([PUSH5]). */
  readonly push?: PushOptions;
  /** The cron triggers of `wrangler.toml` that are Edgeverse's, where they are not the usual ones ([HOST3]). */
  readonly crons?: Partial<Crons>;
}

/**
 * Makes a host of object classes: for a Worker of its own, as here, or beside the routes and handlers of yours.
 *
 * @throws Error naming the class or the option that can't be used, and why
 * @example
 * const host = defineHost({ objects: [Counter] });
 * export default host.worker;
 * export const { Partition, Coordinator, Gate } = host;
 */
export function defineHost<const Classes extends readonly ObjectClass[]>(options: HostOptions<Classes>): Host<Classes> {
  const registry = new Registry(options.objects, options.access);
  const limits = checkLimits(options.limits ?? {});
  const cors = new Cors(options.cors);
  const events = new EventHost(registry, options.events);
  const basePath = checkBasePath(options.basePath ?? "");
  const crons: Crons = {
    reconcile: options.crons?.reconcile,
    wake: options.crons?.wake ?? DEFAULT_CRONS.wake,
    cleanUp: options.crons?.cleanUp ?? DEFAULT_CRONS.cleanUp,
  };
  const { authenticate = [] } = options;
  const authenticators = typeof authenticate === "function" ? [authenticate] : authenticate;
  const disconnect = options.push?.onDisconnect;
  if (disconnect !== undefined) {
    registry.method(registry.type(disconnect.type), disconnect.method);
    registry.placement(disconnect.type, disconnect.id);
  }
  const { admin } = options;
  const fault = admin === undefined ? undefined : adminRolesFault(admin, authenticators.length > 0);
  if (fault !== undefined) throw new Error(`Cannot use the option admin: ${fault}`);
  const rules = options.push === undefined ? undefined : new PushRules(options.push);
  const known = new WeakMap<Env, HostServices>();

  const services = (env: Env): HostServices => {
    let made = known.get(env);
    if (made === undefined) {
      made = hostServices(registry, { basePath, authenticators, admin, events, limits, cors, rules }, env);
      known.set(env, made);
    }
    return made;
  };

  const run = async ({ cron }: CronEvent, env: Env) => {
    const tasks = tasksOf(crons, cron);
    if (tasks.length > 0) await runCron(tasks, services(env), consoleObserver);
    return tasks.length > 0;
  };

  return {
    async fetch<Next>(request: Request, env: Env, _ctx: unknown, next?: () => Next) {
      if (isOurs(basePath, rawPath(request.url))) return services(env).handle(request);
      return next?.() as Awaited<Next>;
    },
    async scheduled(event, env) {
      await run(event, env);
    },
    authenticate: async (env, request) => (await services(env).authenticate?.(request)) ?? null,
    object: (env, type, id, callOptions) => services(env).objects.stub(type, id, callOptions),
    create: async (env, type, id, ...parameters) => services(env).objects.create(type, id, ...parameters),
    query: async (env, type, query) => (await services(env).queries.find(type.type, query)) as FoundObjects<never>,
    reconcile: async (env) => services(env).maintenance.reconcile(),
    delete: async (env, type, id, callOptions) => services(env).objects.delete(type, id, callOptions),
    worker: {
      fetch: async (request, env) => services(env).handle(request),
      async scheduled(event, env) {
        if (await run(event, env)) return;
        consoleObserver.warn("a cron trigger is for nothing", {
          cron: event.cron,
          known: Object.values(crons).filter((known) => known !== undefined),
        });
      },
    },
    classes: options.objects,
    Partition: partitionClass(registry, events, limits),
    Gate: gateClass({ registry, rules: rules ?? new PushRules({}), disconnect, authenticators, limits }),
    Coordinator: CoordinatorDurableObject,
  };
}
