import { waitUntil } from "cloudflare:workers";
import { write } from "../durable/console-observer.ts";
import { type Deployment, deploymentOf, type Env } from "../durable/environment.ts";
import type { EventHost } from "../durable/event-sinks.ts";
import { type GateRpc, openEvents, openSocket } from "../durable/gate-rpc.ts";
import { clock, random } from "../durable/platform.ts";
import type { AdminRoles } from "../src/http/admin/roles.ts";
import { type Authenticate, type Authenticator, authentication } from "../src/http/authentication.ts";
import type { Cors } from "../src/http/cors.ts";
import { createHandler } from "../src/http/handler.ts";
import type { CoordinatorClient, GateDoor } from "../src/http/ports.ts";
import type { Limits } from "../src/limits/limits-schema.ts";
import type { Registry } from "../src/object/registry.ts";
import type { PushRules } from "../src/push/push-rules.ts";
import { type Maintenance, maintenanceOf } from "../src/reliable/maintenance.ts";
import { clientLimits } from "../src/router/client-limits.ts";
import { ObjectQueries } from "../src/router/object-queries.ts";
import { RemoteObjects } from "../src/router/remote-objects.ts";
import { Router } from "../src/router/router.ts";
import { LogFilter } from "../src/settings/log-filter.ts";
import { followerOf } from "../src/settings/settings-follower.ts";

/** What a host needs under one environment. Two environments share nothing: they may have other bindings and settings. */
export interface HostServices {
  readonly deployment: Deployment;
  readonly router: Router;
  readonly maintenance: Maintenance;
  /** Removes what the table of events has had for longer than the retention. */
  readonly cleanUpEvents: () => Promise<number>;
  readonly objects: RemoteObjects;
  /** Undefined: every client is anonymous. */
  readonly authenticate: Authenticate | undefined;
  readonly queries: ObjectQueries;
  /** The HTTP interface, made when it is first asked for: a queue's handler never does. */
  readonly handle: (request: Request) => Promise<Response>;
}

interface Options {
  readonly basePath: string;
  readonly authenticators: readonly Authenticator[];
  readonly admin: AdminRoles | undefined;
  readonly events: EventHost;
  readonly limits: Limits;
  readonly cors: Cors;
  /** Undefined: no clients connect. */
  readonly rules: PushRules | undefined;
}

/** @throws Error when the environment lacks a binding, or its settings can't be used; the message says which */
export function hostServices(
  types: Registry,
  { basePath, authenticators, admin, events, limits, cors, rules }: Options,
  env: Env,
): HostServices {
  const deployment = deploymentOf(env);
  const { connect, cache, log, coordinator } = deployment;
  const live = deployment.settings(types);
  const { config, registry } = live;
  const follower = followerOf(live, {
    clock,
    ask: (known) => coordinator().newerSettings(known),
    onFault: (fault, version) => write("error", "the settings can't be used here", { fault, version }),
    background: waitUntil,
  });
  // What can't be used is to be said by the first request, not by partitions that can't start.
  events.routes(env, config);
  const router = new Router({ registry, connect, cache, clock, settings: follower, background: waitUntil });
  const maintenance = maintenanceOf({ log, router, connect, config, registry, clock });
  const clients = clientLimits({ limits, settings: live, router, connect, clock, background: waitUntil });
  const objects = new RemoteObjects({ registry, router, config, clock, random, clients, caller: "worker" });
  const authenticate = authentication(authenticators, env, clock);
  const settings = { live, follower };
  const shared = {
    registry,
    basePath,
    authenticate,
    clients,
    cors,
    config,
    settings,
    router,
    connect,
    log,
    maintenance,
    clock,
    random,
  };
  const filter = new LogFilter(live);
  let handle: ((request: Request) => Promise<Response>) | undefined;
  return {
    deployment,
    router,
    maintenance,
    cleanUpEvents: () => events.cleanUp(env, config),
    objects,
    authenticate,
    queries: new ObjectQueries({ registry, router, connect, clock }),
    handle(request) {
      handle ??= createHandler({
        ...shared,
        gates: gateDoor(deployment, env, rules),
        adminToken: env.EDGEVERSE_ADMIN_TOKEN === "" ? undefined : env.EDGEVERSE_ADMIN_TOKEN,
        operatorToken: env.EDGEVERSE_OPERATOR_TOKEN,
        viewerToken: env.EDGEVERSE_VIEWER_TOKEN,
        adminRoles: admin,
        coordinator: coordinatorClient(deployment),
        onError(error, context) {
          if (filter.admits("error", "a request failed")) write("error", "a request failed", { ...context, error });
        },
      });
      return handle(request);
    },
  };
}

function gateDoor({ gates }: Deployment, { GATE }: Env, rules: PushRules | undefined): GateDoor | undefined {
  if (gates === undefined || GATE === undefined || rules === undefined) return undefined;
  const { names } = gates;
  const stub = (gate: string) => GATE.getByName(gate) as GateRpc;
  return {
    names,
    rules,
    open: (gate, identity, client) => openSocket(stub(gate), identity, client),
    stream: (gate, identity, wanted) => openEvents(stub(gate), identity, wanted),
    status: (gate) => stub(gate).status(),
  };
}

/** Asks a new stub every time: one that was used before its Durable Object was reset fails. */
function coordinatorClient({ coordinator }: Deployment): CoordinatorClient {
  return {
    status: () => coordinator().status(),
    map: () => coordinator().map(),
    execute: (command, operator) => coordinator().execute(command, operator),
    auditCall: (...args) => coordinator().auditCall(...args),
    view: () => coordinator().view(),
    notes: () => coordinator().notes(),
    moves: (query) => coordinator().moves(query),
    audit: (query) => coordinator().audit(query),
    keys: {
      make: (...args) => coordinator().makeKey(...args),
      revoke: (...args) => coordinator().revokeKey(...args),
      list: (query) => coordinator().listKeys(query),
      find: (...args) => coordinator().findKey(...args),
    },
    settings: (version) => coordinator().settings(version),
    settingsVersions: () => coordinator().settingsVersions(),
    newerSettings: (known) => coordinator().newerSettings(known),
  };
}
