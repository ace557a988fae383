/**
 * Stands in for `cloudflare:workers` outside workerd, so that a module that defines a host can be imported in Node: for its
 * object classes, for types, for tests. Nothing can be served from it.
 */
export abstract class DurableObject<Env = unknown> {
  protected readonly ctx: DurableObjectState;
  protected readonly env: Env;

  constructor(ctx: DurableObjectState, env: Env) {
    this.ctx = ctx;
    this.env = env;
  }
}
