import { write } from "../durable/console-observer.ts";
import { type Deployment, deploymentOf, type Env } from "../durable/environment.ts";
import { clock, random } from "../durable/platform.ts";
import { createHandler } from "../src/http/handler.ts";
import type { CoordinatorClient } from "../src/http/ports.ts";
import type { Registry } from "../src/object/registry.ts";
import { type Maintenance, maintenanceOf } from "../src/reliable/maintenance.ts";
import { RemoteObjects } from "../src/router/remote-objects.ts";
import { Router } from "../src/router/router.ts";

/** What a host needs under one environment. Two environments share nothing: they may have other bindings and settings. */
export interface HostServices {
  readonly deployment: Deployment;
  readonly router: Router;
  readonly maintenance: Maintenance;
  readonly objects: RemoteObjects;
  /** The HTTP interface, made when it is first asked for: a queue's handler never does. */
  readonly handle: (request: Request) => Promise<Response>;
}

/** @throws Error when the environment lacks a binding, or its settings can't be used; the message says which */
export function hostServices(registry: Registry, basePath: string, env: Env): HostServices {
  const deployment = deploymentOf(env);
  const { config, connect, cache, log } = deployment;
  const router = new Router({ registry, connect, cache, clock });
  const maintenance = maintenanceOf({ log, router, connect, config, registry, clock });
  const objects = new RemoteObjects({ registry, router, config, clock, random, caller: "worker" });
  const shared = { registry, basePath, config, router, connect, log, maintenance, clock, random };
  let handle: ((request: Request) => Promise<Response>) | undefined;
  return {
    deployment,
    router,
    maintenance,
    objects,
    handle(request) {
      handle ??= createHandler({
        ...shared,
        adminToken: env.EDGEVERSE_ADMIN_TOKEN === "" ? undefined : env.EDGEVERSE_ADMIN_TOKEN,
        coordinator: coordinatorClient(deployment),
        onError: (error, context) => write("error", "a request failed", { ...context, error }),
      });
      return handle(request);
    },
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
  };
}
