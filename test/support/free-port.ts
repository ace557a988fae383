import { once } from "node:events";
import { createServer } from "node:net";

/** A port that nobody listens on, for a host that is to come back at the same one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await once(server.close(), "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
