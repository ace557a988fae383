import { runHost } from "./run-host.ts";
import { startWranglerHost } from "./wrangler-host.ts";

/** `npm run dev` */
await runHost(startWranglerHost);
