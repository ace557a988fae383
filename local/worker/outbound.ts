interface OutboundBindings {
  /** Origins the operator named, such as the Postgres bridge or a metrics collector: these may be on private addresses. */
  readonly ORIGINS: readonly string[];
  readonly named: Fetcher;
  readonly internet: Fetcher;
}

/**
 * Stands between the worker and the network. workerd filters by address only: allowing loopback for the Postgres bridge would open every
 * port of this machine to code that fetches a URL from a request. So private addresses are reached by exact origin or not at all.
 */
export default {
  fetch(request: Request, env: OutboundBindings): Promise<Response> {
    const allowed = env.ORIGINS.includes(new URL(request.url).origin);
    return (allowed ? env.named : env.internet).fetch(request);
  },
};

/** The Cache API of a worker without simulators: it is there, keeps nothing, and so always misses. */
export const cache = {
  fetch(request: Request): Response {
    const status = request.method === "PUT" ? 204 : request.method === "PURGE" ? 404 : 504;
    return new Response(null, { status });
  },
};
