const HEAD_END = "\r\n\r\n";

/**
 * Finds where each response on a connection ends, looking at as little as possible: the status, and Content-Length or the
 * chunk sizes. A response that arrives whole, with a length, is never copied.
 */
export class ResponseReader {
  readonly #onResponse: (status: number, response: Buffer) => void;
  #pending: Buffer | undefined;

  /** @param onResponse gets the whole response; it is valid only during the call */
  constructor(onResponse: (status: number, response: Buffer) => void) {
    this.#onResponse = onResponse;
  }

  /** Takes bytes as they come. `bytes` may be overwritten afterwards. */
  read(bytes: Buffer): void {
    let rest = this.#pending === undefined ? bytes : Buffer.concat([this.#pending, bytes]);
    for (let size = responseSize(rest); size !== undefined; size = responseSize(rest)) {
      const response = rest.subarray(0, size);
      rest = rest.subarray(size);
      this.#onResponse(statusOf(response), response);
    }
    this.#pending = rest.length === 0 ? undefined : Buffer.from(rest);
  }
}

/** "HTTP/1.1 200": three digits from the tenth character on. */
function statusOf(response: Buffer): number {
  return (response[9]! - 48) * 100 + (response[10]! - 48) * 10 + (response[11]! - 48);
}

/** Bytes of the first response in `bytes`; undefined while it isn't complete. */
function responseSize(bytes: Buffer): number | undefined {
  if (bytes.length === 0) return undefined;
  const headEnd = bytes.indexOf(HEAD_END, 0, "latin1");
  if (headEnd < 0) return undefined;
  const body = headEnd + HEAD_END.length;
  const length = contentLength(bytes, headEnd);
  if (length === undefined) return chunkedEnd(bytes, body);
  return bytes.length >= body + length ? body + length : undefined;
}

/** workerd writes the name in this case; anything else is looked for the slow way. */
function contentLength(bytes: Buffer, headEnd: number): number | undefined {
  const at = bytes.indexOf("\r\nContent-Length: ", 0, "latin1");
  if (at >= 0 && at < headEnd) return digits(bytes, at + 18);
  const found = /\r\ncontent-length:\s*(\d+)/i.exec(bytes.toString("latin1", 0, headEnd));
  return found === null ? undefined : Number(found[1]);
}

function digits(bytes: Buffer, from: number): number {
  let value = 0;
  for (let index = from; ; index++) {
    const digit = bytes[index]! - 48;
    if (!(digit >= 0 && digit <= 9)) return value;
    value = value * 10 + digit;
  }
}

function chunkedEnd(bytes: Buffer, from: number): number | undefined {
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error("Cannot read a response that has neither a length nor chunks");
    at = lineEnd + 2 + size + 2;
    if (bytes.length < at) return undefined;
    if (size === 0) return at;
  }
}
