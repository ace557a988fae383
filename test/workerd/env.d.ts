import type { Env as Bindings } from "../../durable/environment.ts";

declare global {
  namespace Cloudflare {
    interface Env extends Bindings {
      PARTITION: DurableObjectNamespace;
      COORDINATOR: DurableObjectNamespace;
      GATE: DurableObjectNamespace;
    }
  }
}
