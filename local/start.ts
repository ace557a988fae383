import { runHost } from "./run-host.ts";
import { startWorkerdHost } from "./workerd-host.ts";

/** `npm start` */
await runHost(startWorkerdHost);
