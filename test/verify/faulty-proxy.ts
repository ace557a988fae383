import type { IncomingMessage } from "node:http";
import { type LocalServer, startServer } from "../support/local-server.ts";

/** A request on its way through the proxy. */
export interface Passing {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** What stands between a deployment and its clients, and does wrong. */
export type Fault = (request: Passing, forward: (request: Passing) => Promise<Response>) => Promise<Response>;

/** A deployment with a fault: a proxy in front of a real host. */
export function startFaultyProxy(target: string, fault: Fault): Promise<LocalServer> {
  const forward = ({ method, path, headers, body }: Passing) =>
    fetch(target + path, { method, headers, redirect: "manual", ...(body === "" ? {} : { body }) });
  return startServer(async (incoming, outgoing) => {
    // A client that gave up has the proxy's own request ended too.
    const response = await fault(await read(incoming), forward).catch(
      (error) => new Response(`${error}`, { status: 502 }),
    );
    const headers = [...response.headers].filter(
      ([name]) => !/^(transfer-encoding|connection|content-length)$/.test(name),
    );
    outgoing.writeHead(response.status, Object.fromEntries(headers)).end(Buffer.from(await response.arrayBuffer()));
  });
}

async function read(incoming: IncomingMessage): Promise<Passing> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (!["host", "connection", "content-length", "transfer-encoding"].includes(name)) headers.set(name, `${value}`);
  }
  const { method = "GET", url: path = "/" } = incoming;
  return { method, path, headers, body: Buffer.concat(chunks).toString() };
}
