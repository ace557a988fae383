import { method, VirtualObject } from "edgeverse";
import { defineHost } from "edgeverse/cloudflare";
import { z } from "zod";
import { OPEN } from "../../support/open-access.ts";

/** Numbers what it tells the outside. */
class Shop extends VirtualObject<{ told: number }, typeof Shop.events> {
  static override readonly type = "Shop";
  static override readonly state = z.object({ told: z.number().default(0) });
  static override readonly events = { "shop.told": z.object({ n: z.number() }) };
  static override readonly methods = { tell: method(), told: method({ readonly: true }) };

  tell() {
    this.state.told++;
    this.emit("shop.told", { n: this.state.told });
    return this.state.told;
  }

  told() {
    return this.state.told;
  }
}

const host = defineHost({
  objects: [Shop],
  access: OPEN,
  events: { hook: { kind: "webhook", url: "WEBHOOK_URL", secret: "WEBHOOK_SECRET", topics: "*" } },
});

export default host.worker;
export const { Partition, Coordinator, Gate } = host;
