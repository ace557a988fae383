import { type ClientLimitParts, ClientLimits } from "../limits/client-limits.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { Connect } from "./ports.ts";
import type { Router } from "./router.ts";

/** The limits of clients whose requests come to one process: those of the code with its settings' over them ([CONF1]). Their keepers are the partitions. */
export function clientLimits({
  limits,
  settings,
  router,
  connect,
  background = () => undefined,
  ...parts
}: Omit<ClientLimitParts, "keepers" | "report" | "background"> & {
  /** Without it, work goes on by itself: where nothing ends with a request. */
  readonly background?: ClientLimitParts["background"];
  readonly settings: Pick<LiveSettings, "limitsOver" | "onChange">;
  readonly router: Pick<Router, "map">;
  readonly connect: Connect;
}): ClientLimits {
  const clients = new ClientLimits({
    ...parts,
    limits: settings.limitsOver(limits),
    background,
    keepers: () => router.map.partitions,
    report: async (keeper, report) => connect(keeper).reportClients(report),
  });
  settings.onChange(() => clients.apply(settings.limitsOver(limits)));
  return clients;
}
