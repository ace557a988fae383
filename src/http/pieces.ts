/** Bytes that are asked for at once: a stream gives 4 KiB otherwise, and each piece costs as much as a small request. */
const PIECE = 256 * 1024;

/** A body, piece by piece; undefined at its end. */
export type Pieces = () => Promise<Uint8Array | undefined>;

/** @throws TypeError when somebody else reads it */
export function piecesOf(body: ReadableStream<Uint8Array>): Pieces {
  const large = byteReader(body);
  if (large !== undefined) return async () => (await large.read(new Uint8Array(PIECE))).value;
  const reader = body.getReader();
  return async () => (await reader.read()).value;
}

/** Undefined for a stream that gives pieces as they were put in. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
