import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

const OPCODE = { more: 0, text: 1, close: 8 } as const;
/** What a connection that broke is said to have been closed with (RFC 6455). */
const BROKEN = 1006;

export interface RawSocketEvents {
  opened(): void;
  message(text: string): void;
  /** Once. @param refusal the body of an answer that opens no WebSocket */
  ended(code: number, refusal?: string): void;
}

/**
 * A WebSocket of a client that can do what no library does: be cut, stop to read, and send what is no frame. A thousand of them
 * take little. Frames by RFC 6455; no extensions.
 */
export class RawSocket {
  readonly #socket: Socket;
  readonly #events: RawSocketEvents;
  #bytes: Buffer = Buffer.alloc(0);
  #open = false;
  #over = false;
  #code = BROKEN;
  #parts: Buffer[] = [];

  constructor(url: URL, events: RawSocketEvents) {
    this.#events = events;
    this.#socket = connect(Number(url.port), url.hostname);
    this.#socket.setNoDelay(true);
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => this.#end());
    this.#socket.on("data", (bytes: Buffer) => this.#take(bytes));
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      "Sec-WebSocket-Protocol: edgeverse.v1",
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  send(text: string): void {
    this.sendRaw(OPCODE.text, Buffer.from(text));
  }

  sendRaw(opcode: number, payload: Buffer): void {
    const { length } = payload;
    const head =
      length < 126
        ? Buffer.from([0x80 | opcode, 0x80 | length])
        : length < 65_536
          ? Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 255])
          : Buffer.from([0x80 | opcode, 0x80 | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (length >> by) & 255)]);
    // A mask of zeros changes nothing.
    this.#socket.write(Buffer.concat([head, Buffer.alloc(4), payload]));
  }

  /** Ends as a network does: nobody is told. */
  cut(): void {
    this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #take(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (!this.#open && !this.#answered()) return;
    while (!this.#over && this.#frame());
  }

  #answered(): boolean {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end < 0) return false;
    if (!this.#bytes.subarray(0, 12).toString().endsWith(" 101")) {
      const body = this.#bytes.subarray(end + 4).toString();
      if (body === "") return false;
      this.#end(body);
      return false;
    }
    this.#bytes = this.#bytes.subarray(end + 4);
    this.#open = true;
    this.#events.opened();
    return true;
  }

  /** Takes a frame that is there whole. */
  #frame(): boolean {
    const bytes = this.#bytes;
    if (bytes.length < 2) return false;
    const [first, second] = bytes as unknown as [number, number];
    let [from, length] = [2, second];
    if (second === 126) [from, length] = [4, bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readUInt16BE(2)];
    if (second === 127)
      [from, length] = [10, bytes.length < 10 ? Number.POSITIVE_INFINITY : Number(bytes.readBigUInt64BE(2))];
    if (bytes.length < from + length) return false;
    const payload = bytes.subarray(from, from + length);
    this.#bytes = bytes.subarray(from + length);
    const opcode = first & 15;
    if (opcode === OPCODE.close) {
      this.#code = length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.sendRaw(OPCODE.close, payload.subarray(0, 2));
      this.#socket.end();
      this.#end();
    } else if (opcode === OPCODE.text || opcode === OPCODE.more) {
      this.#parts.push(payload);
      if ((first & 0x80) === 0) return true;
      const text = this.#parts.length === 1 ? payload.toString() : Buffer.concat(this.#parts).toString();
      this.#parts = [];
      this.#events.message(text);
    }
    return true;
  }

  #end(refusal?: string): void {
    if (this.#over) return;
    this.#over = true;
    if (refusal !== undefined) this.#socket.destroy();
    this.#events.ended(this.#code, refusal);
  }
}
