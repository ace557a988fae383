import { EdgeverseError } from "../errors/edgeverse-error.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * The text of a request's body; empty when it has none. Whatever its Content-Type: `curl -d` calls JSON a form.
 *
 * @param limit bytes the body may have; one without a Content-Length is counted while it is read
 * @throws EdgeverseError `PAYLOAD_TOO_LARGE`, or `INVALID_JSON` when it is not UTF-8
 */
export async function readBody(request: Request, limit: number): Promise<string> {
  const length = request.headers.get("content-length");
  const declared = length === null || !/^\d+$/.test(length) ? undefined : Number(length);
  if (declared !== undefined && declared > limit) throw tooLarge(limit);
  // Asking for the stream makes one; the usual call, which says how long its body is, is spared that.
  if (declared === 0 || (declared === undefined && request.body === null)) return "";
  const bytes = await received(
    declared === undefined ? readCounted(request.body as ReadableStream<Uint8Array>, limit) : request.arrayBuffer(),
  );
  if (bytes.byteLength > limit) throw tooLarge(limit);
  try {
    return decoder.decode(bytes);
  } catch {
    throw new EdgeverseError("INVALID_JSON", "The body is not UTF-8");
  }
}

async function received(reading: Promise<ArrayBuffer | Uint8Array>): Promise<ArrayBuffer | Uint8Array> {
  try {
    return await reading;
  } catch (cause) {
    if (cause instanceof EdgeverseError) throw cause;
    throw new EdgeverseError("INVALID_JSON", "The body ended early", { cause });
  }
}

async function readCounted(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > limit) {
      reader.cancel().catch(() => {});
      throw tooLarge(limit);
    }
    chunks.push(value);
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(size);
  let place = 0;
  for (const chunk of chunks) {
    whole.set(chunk, place);
    place += chunk.byteLength;
  }
  return whole;
}

function tooLarge(limit: number): EdgeverseError {
  return new EdgeverseError("PAYLOAD_TOO_LARGE", `The body is over ${limit} bytes`);
}
