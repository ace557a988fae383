import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Random } from "../platform/ports.ts";

/** The path of an absolute URL, still percent-encoded. */
export function rawPath(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  for (let index = start; index < url.length; index++) {
    const unit = url.charCodeAt(index);
    if (unit === 0x3f || unit === 0x23) return url.slice(start, index);
  }
  return url.slice(start);
}

/** @throws EdgeverseError `INVALID_PATH` when the percent-encoding is malformed or not UTF-8 */
export function checkEncoding(path: string): void {
  if (!path.includes("%")) return;
  try {
    decodeURIComponent(path);
  } catch {
    throw new EdgeverseError("INVALID_PATH", "Cannot read the path: its percent-encoding is malformed");
  }
}

/** Characters of a URL, and of the headers that are read but have no bound of their own. */
const MAX_URL = 8_192;
const MAX_HEADER = 16_384;

/** @throws EdgeverseError `URL_TOO_LONG`, `HEADERS_TOO_LARGE` */
export function checkSize({ url, headers }: Request): void {
  if (url.length > MAX_URL) throw new EdgeverseError("URL_TOO_LONG", `The URL is over ${MAX_URL} characters`);
  for (const name of ["authorization", "cookie"]) {
    if ((headers.get(name)?.length ?? 0) > MAX_HEADER)
      throw new EdgeverseError("HEADERS_TOO_LARGE", `The header ${name} is over ${MAX_HEADER} characters`);
  }
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The client's `X-Request-Id` if it is one, and a ticket of ours with it; else a new id. */
export function requestIdOf(
  { headers }: Request,
  random: Random,
): { readonly requestId: string; readonly ticket: string | undefined } {
  const given = headers.get("x-request-id");
  const isOne = given !== null && REQUEST_ID.test(given);
  return { requestId: isOne ? given : random.uuid(), ticket: isOne ? random.uuid() : undefined };
}
