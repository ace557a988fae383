import { type ClientLimitParts, ClientLimits } from "../limits/client-limits.ts";
import type { Connect } from "./ports.ts";
import type { Router } from "./router.ts";

/** The limits of clients whose requests come to one process, with the partitions as their keepers. */
export function clientLimits({
  router,
  connect,
  background = () => undefined,
  ...parts
}: Omit<ClientLimitParts, "keepers" | "report" | "background"> & {
  /** Without it, work goes on by itself: where nothing ends with a request. */
  readonly background?: ClientLimitParts["background"];
  readonly router: Pick<Router, "map">;
  readonly connect: Connect;
}): ClientLimits {
  return new ClientLimits({
    ...parts,
    background,
    keepers: () => router.map.partitions,
    report: async (keeper, report) => connect(keeper).reportClients(report),
  });
}
