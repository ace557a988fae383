import { consoleObserver, write } from "../durable/console-observer.ts";
import { CoordinatorDurableObject } from "../durable/coordinator.ts";
import { type Deployment, deploymentOf, type Env } from "../durable/environment.ts";
import { partitionClass } from "../durable/partition.ts";
import { clock, random } from "../durable/platform.ts";
import { createHandler } from "../src/http/handler.ts";
import type { Checked } from "../src/object/contract.ts";
import { Registry } from "../src/object/registry.ts";
import type { ObjectClass } from "../src/object/virtual-object.ts";
import { LogMaintenance } from "../src/reliable/log-maintenance.ts";
import { Router } from "../src/router/router.ts";
import { runCron } from "./cron.ts";

export interface HostOptions<Classes extends readonly ObjectClass[] = readonly ObjectClass[]> {
  /** The classes this deployment serves. One whose schemas and types disagree does not compile here ([OBJ6]). */
  readonly objects: Classes & Checked<Classes>;
}

/**
 * Makes a deployment of object classes: the worker that routes calls and runs cron, and the Durable Object classes behind.
 *
 * @throws Error naming the class that can't be served and why
 * @example
 * const host = defineHost({ objects: [Counter] });
 * export default host.worker;
 * export const { Partition, Coordinator } = host;
 */
export function defineHost<const Classes extends readonly ObjectClass[]>(options: HostOptions<Classes>) {
  const registry = new Registry(options.objects);
  const handlers = new WeakMap<Env, (request: Request) => Promise<Response>>();

  const parts = (env: Env) => {
    const deployment = deploymentOf(env);
    const { connect, cache } = deployment;
    const router = new Router({ registry, connect, cache, clock });
    return { ...deployment, router, maintenance: maintenanceOf(deployment, router) };
  };

  const handlerOf = (env: Env) => {
    const made = parts(env);
    return createHandler({
      ...made,
      registry,
      basePath: "",
      clock,
      random,
      adminToken: env.EDGEVERSE_ADMIN_TOKEN === "" ? undefined : env.EDGEVERSE_ADMIN_TOKEN,
      coordinator: {
        status: () => made.coordinator().status(),
        map: () => made.coordinator().map(),
        execute: (command, operator) => made.coordinator().execute(command, operator),
        view: () => made.coordinator().view(),
        notes: () => made.coordinator().notes(),
        moves: (query) => made.coordinator().moves(query),
        audit: (query) => made.coordinator().audit(query),
      },
      onError: (error, context) => write("error", "a request failed", { ...context, error }),
    });
  };

  const worker: ExportedHandler<Env> = {
    fetch(request, env) {
      const handle = handlers.get(env) ?? handlerOf(env);
      handlers.set(env, handle);
      return handle(request);
    },
    async scheduled(controller, env) {
      const { maintenance, router, connect, coordinator } = parts(env);
      // Partitions may have been added since the settings were made.
      await router.refresh();
      await runCron(controller, {
        maintenance,
        partitions: router.map.partitions,
        connect,
        wakeCoordinator: () => coordinator().wake(),
        observer: consoleObserver,
      });
    },
  };

  return { worker, Partition: partitionClass(registry), Coordinator: CoordinatorDurableObject };
}

function maintenanceOf({ config, connect, log }: Deployment, router: Router) {
  if (log === undefined) return undefined;
  return new LogMaintenance({ log, router, connect, config, clock });
}
