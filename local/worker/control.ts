import { WorkerEntrypoint } from "cloudflare:workers";

/** What the host sends over its private Unix socket to run a cron. */
export interface ScheduledRequest {
  readonly cron: string;
  /** Milliseconds since 1970 of the minute the cron was due. */
  readonly scheduledTime: number;
}

/** The part of a worker's default export that the control entry point uses. */
export interface ScheduledHandler {
  scheduled?(controller: ScheduledController, env: unknown, ctx: ExecutionContext): unknown;
}

/** A default export that is a class: a `WorkerEntrypoint`. */
export type ScheduledClass = new (ctx: ExecutionContext, env: unknown) => ScheduledHandler;

/**
 * Makes the entry point that lets the host, and nobody else, run crons. workerd has no cron of its own, and `service.scheduled()` from
 * another worker needs `workerd --experimental`; an entry point bound to a socket of its own needs no flag, and the public
 * socket, bound to the default export, can't reach it.
 */
export function controlEntrypoint(
  worker: ScheduledHandler | ScheduledClass,
): new (
  ctx: ExecutionContext,
  env: unknown,
) => WorkerEntrypoint<unknown> {
  return class EdgeverseControl extends WorkerEntrypoint<unknown> {
    override async fetch(request: Request): Promise<Response> {
      const { cron, scheduledTime } = (await request.json()) as ScheduledRequest;
      const handler = typeof worker === "function" ? new worker(this.ctx, this.env) : worker;
      if (typeof handler.scheduled !== "function")
        return new Response("the worker has no scheduled handler", { status: 501 });
      try {
        await handler.scheduled({ cron, scheduledTime, noRetry() {} } as ScheduledController, this.env, this.ctx);
        return new Response("ok");
      } catch (error) {
        return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 });
      }
    }
  };
}
