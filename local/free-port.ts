import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { HostError } from "./host-error.ts";

/**
 * Checks that an address can be listened on and returns its port, chosen by the system when 0 is given. workerd would say so itself, but
 * only after everything else has started, and not in a sentence.
 * @param patienceMs how long to wait for a port in use, when its holder is known to be ending
 */
export async function freePort(host: string, port: number, patienceMs: number): Promise<number> {
  for (const end = performance.now() + patienceMs; ; await sleep(50)) {
    const tried = await listenOnce(host, port);
    if (typeof tried === "number") return tried;
    if (tried.code === "EADDRINUSE" && performance.now() < end) continue;
    throw new HostError(explain(tried, host, port));
  }
}

function listenOnce(host: string, port: number): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === "EADDRINUSE")
    return `Port ${port} on ${host} is in use: stop what uses it, or set PORT (0 for any free port)`;
  if (error.code === "EACCES")
    return `Not allowed to listen on port ${port}: ports below 1024 need privileges; set PORT`;
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return `HOST ${host} is not an address of this machine`;
  return `Cannot listen on ${host}:${port}: ${error.message}`;
}
