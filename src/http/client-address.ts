/** What workerd says of a connection that came to it directly: nobody can forge it. */
interface Connected {
  readonly cf?: { readonly clientIp?: unknown };
}

/**
 * The address that a request came from ([LIM2]). Headers say what whoever sent them likes: one counts only where somebody in
 * front is known to set it, and of several addresses the last, which that one has added.
 *
 * @param header the setting `addressHeader`; empty: the connection's own address, or on Cloudflare `CF-Connecting-IP`
 */
export function addressOf(request: Request, header: string): string | undefined {
  if (header !== "") return withoutPort(request.headers.get(header)?.split(",").at(-1)?.trim());
  const address = (request as Request & Connected).cf?.clientIp;
  return withoutPort(typeof address === "string" ? address : (request.headers.get("cf-connecting-ip") ?? undefined));
}

/** workerd and some proxies add the port, which is another one for each connection. */
function withoutPort(address: string | undefined): string | undefined {
  const [, v6, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(address ?? "") ?? [];
  return v6 ?? v4 ?? address;
}
