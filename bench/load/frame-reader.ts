const TEXT = 1;
const CLOSE = 8;

export interface Frames {
  text(text: string): void;
  closed(code: number): void;
}

/** Finds the messages of a WebSocket, as a server sends them: unmasked, and each in one frame. ASCII only. */
export class FrameReader {
  readonly #frames: Frames;
  #pending: Buffer | undefined;

  constructor(frames: Frames) {
    this.#frames = frames;
  }

  /** Takes bytes as they come. `bytes` may be overwritten afterwards. */
  read(bytes: Buffer): void {
    const all = this.#pending === undefined ? bytes : Buffer.concat([this.#pending, bytes]);
    let at = 0;
    for (;;) {
      if (all.length < at + 2) break;
      const [opcode, short] = [all[at]!, all[at + 1]!];
      if ((opcode & 0xf0) !== 0x80 || short > 127) throw new Error("A WebSocket frame can't be read");
      const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
      const from = at + 2 + extra;
      if (all.length < from) break;
      const length = extra === 0 ? short : extra === 2 ? all.readUInt16BE(at + 2) : all.readUInt32BE(at + 6);
      if (all.length < from + length) break;
      if ((opcode & 0xf) === TEXT) this.#frames.text(all.latin1Slice(from, from + length));
      if ((opcode & 0xf) === CLOSE) this.#frames.closed(length < 2 ? 1005 : all.readUInt16BE(from));
      at = from + length;
    }
    this.#pending = at === all.length ? undefined : Buffer.from(all.subarray(at));
  }
}

/** A message of a client. The mask is zero, so that nothing has to be masked. ASCII only. */
export function clientMessage(text: string): Buffer {
  const { length } = text;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = 2 + extra + 4;
  const bytes = Buffer.allocUnsafe(head + length);
  bytes.fill(0, 0, head);
  bytes[0] = 0x80 | TEXT;
  bytes[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) bytes.writeUInt16BE(length, 2);
  if (extra === 8) bytes.writeUInt32BE(length, 6);
  bytes.latin1Write(text, head);
  return bytes;
}
