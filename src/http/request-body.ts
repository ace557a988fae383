import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import { type Pieces, piecesOf } from "./pieces.ts";

const MiB = 1024 * 1024;
/**
 * Bytes of bodies that one isolate holds at the same time, from their first byte to the answer. What a body is parsed into
 * takes up to 22 times its size for a moment, and an isolate has 128 MB.
 */
const TOGETHER = 16 * MiB;
/** What is read and dropped of a body that nobody wants, in bytes and ms, so that its sender gets to read the answer. */
const DROPPED = 64 * MiB;
const DROPPING = 10_000;

/** Bytes of a body that is read at once. */
const SMALL = 64 * 1024;
/** Ms that a larger one may take to arrive, and a small one where others hold more than a moment's calls do. */
const RECEIVING = 30_000;
const MANY = MiB;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The bodies of an isolate ([HTTP1]). */
export class Bodies {
  readonly #clock: Clock;
  readonly #config: { readonly maxBody: number };
  #held = 0;

  /** @param config `maxBody`: bytes that one body may have */
  constructor(clock: Clock, config: { readonly maxBody: number }) {
    this.#clock = clock;
    this.#config = config;
  }

  get #limit(): number {
    return this.#config.maxBody;
  }

  of(request: Request): RequestBody {
    return new RequestBody(request, this);
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** @throws EdgeverseError `PAYLOAD_TOO_LARGE` */
  check(bytes: number): void {
    if (bytes > this.#limit) throw new EdgeverseError("PAYLOAD_TOO_LARGE", `The body is over ${this.#limit} bytes`);
  }

  /** @throws EdgeverseError `PAYLOAD_TOO_LARGE`, or `OVERLOADED` when there is no room for as much now */
  checkRoom(bytes: number): void {
    this.check(bytes);
    if (this.#held + bytes <= Math.max(TOGETHER, this.#limit)) return;
    throw new EdgeverseError("OVERLOADED", "Too many bytes of requests are being served: send this one again later", {
      retryAfter: 1,
    });
  }

  /** Whether bodies hold so much that those which never arrive would keep others out. */
  get areMany(): boolean {
    return this.#held > MANY;
  }

  take(bytes: number): void {
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** The body of one request. Whoever makes it ends it. */
export class RequestBody {
  readonly #request: Request;
  readonly #bodies: Bodies;
  #held = 0;
  /** Nothing more of it is to be read. */
  #over = false;
  #pieces: Pieces | undefined;

  constructor(request: Request, bodies: Bodies) {
    this.#request = request;
    this.#bodies = bodies;
  }

  /**
   * Its text; empty when there is none. Whatever its Content-Type: `curl -d` calls JSON a form.
   *
   * @throws EdgeverseError `PAYLOAD_TOO_LARGE`, `OVERLOADED`, or `INVALID_JSON` when it is not UTF-8
   */
  async text(): Promise<string> {
    const declared = this.#declared();
    // Asking for the stream makes one; the usual call, which says how long its body is, is spared that.
    if (declared === 0 || (declared === undefined && this.#request.body === null)) {
      this.#over = true;
      return "";
    }
    let bytes: ArrayBuffer | Uint8Array;
    try {
      // What a large body holds is counted as it comes: its sender may be slow.
      bytes =
        declared !== undefined && declared <= SMALL
          ? await this.#small(declared)
          : await within(this.#bodies.clock, RECEIVING, this.#counted(declared), () => this.#tooSlow());
      // A length that lies does not get more in.
      this.#bodies.check(bytes.byteLength);
    } catch (cause) {
      if (cause instanceof EdgeverseError) throw cause;
      throw new EdgeverseError("INVALID_JSON", "The body ended early", { cause });
    }
    try {
      return decoder.decode(bytes);
    } catch {
      throw new EdgeverseError("INVALID_JSON", "The body is not UTF-8");
    }
  }

  /** Gives back the bytes it held. Where it was not read to its end, what is to be awaited before the answer leaves. */
  end(): Promise<void> | undefined {
    this.#bodies.give(this.#held);
    const { method } = this.#request;
    if (this.#over || method === "GET" || method === "HEAD") return undefined;
    return this.#drop();
  }

  #declared(): number | undefined {
    const length = this.#request.headers.get("content-length");
    return length === null || !/^\d+$/.test(length) ? undefined : Number(length);
  }

  /** It counts from now on. The timer costs a part of a call, so the usual one, beside few others, goes without. */
  #small(declared: number): Promise<ArrayBuffer> {
    this.#take(declared);
    this.#over = true;
    const bytes = this.#request.arrayBuffer();
    const { areMany, clock } = this.#bodies;
    return areMany ? within(clock, RECEIVING, bytes, () => this.#tooSlow()) : bytes;
  }

  async #counted(declared: number | undefined): Promise<Uint8Array> {
    if (declared !== undefined) this.#bodies.checkRoom(declared);
    this.#pieces = piecesOf(this.#request.body as ReadableStream<Uint8Array>);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const piece = await this.#pieces();
      if (this.#over || piece === undefined || piece.byteLength === 0) break;
      this.#take(piece.byteLength);
      size += piece.byteLength;
      // A piece may be a small part of the memory it came in.
      chunks.push(piece.byteLength * 2 < piece.buffer.byteLength ? piece.slice() : piece);
    }
    this.#over = true;
    if (chunks.length === 1) return chunks[0] as Uint8Array;
    const whole = new Uint8Array(size);
    let place = 0;
    for (const chunk of chunks) {
      whole.set(chunk, place);
      place += chunk.byteLength;
    }
    return whole;
  }

  #take(bytes: number): void {
    this.#bodies.check(this.#held + bytes);
    this.#bodies.checkRoom(bytes);
    this.#bodies.take(bytes);
    this.#held += bytes;
  }

  #tooSlow(): EdgeverseError {
    this.#over = true;
    return new EdgeverseError("DEADLINE_EXCEEDED", `The body did not arrive within ${RECEIVING / 1000} s; nothing ran`);
  }

  /**
   * Reads on and drops what it reads. A server that answers and closes while its client still sends breaks the connection,
   * and many clients then never see the answer.
   */
  async #drop(): Promise<void> {
    const declared = this.#declared();
    // A server drops a small one by itself, at a lower price.
    if (declared !== undefined && (declared <= SMALL || declared > DROPPED)) return;
    try {
      const { body } = this.#request;
      if (body === null) return;
      const pieces = this.#pieces ?? piecesOf(body);
      const rest = async () => {
        for (let size = 0; size <= DROPPED; ) {
          const piece = await pieces();
          if (piece === undefined || piece.byteLength === 0) return;
          size += piece.byteLength;
        }
      };
      await within(this.#bodies.clock, DROPPING, rest(), () => new Error("the client is too slow"));
    } catch {
      // It broke off, or somebody else reads it: there is nobody to wait for.
    }
  }
}
