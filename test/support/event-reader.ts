type Frame = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** What reads a stream as an EventSource does: events become frames, and it remembers the last id. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #rest = "";
  readonly frames: Frame[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Comments that it got. */
  comments = 0;
  lastId = "";
  retry: number | undefined;
  /** Undefined while it goes on. */
  end: "closed" | "broken" | undefined;

  /** @param reads false: it takes nothing until it is told to */
  constructor(body: ReadableStream<Uint8Array>, reads = true) {
    this.#reader = body.getReader();
    if (reads) void this.read();
  }

  /** Reads on to the end. */
  async read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.#take(this.#decoder.decode(value, { stream: true }));
      }
      this.end = "closed";
    } catch {
      this.end = "broken";
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits for the next frame of this kind. */
  async next(kind: string): Promise<Frame> {
    for (;;) {
      const index = this.frames.findIndex((frame) => frame.kind === kind);
      if (index >= 0) return this.frames.splice(index, 1)[0] as Frame;
      if (this.end !== undefined) throw new Error(`the stream is ${this.end}, and no ${kind} came`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits for its end. */
  async over(): Promise<string> {
    while (this.end === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.end;
  }

  async cut(): Promise<void> {
    await this.#reader.cancel();
  }

  /** Takes the frames that have come. */
  take(): Frame[] {
    return this.frames.splice(0);
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() as string;
    for (const block of blocks) {
      for (const line of block.split("\n")) {
        const [, name, value = ""] = /^(\w*): ?(.*)$/.exec(line) ?? [];
        if (name === "") this.comments++;
        else if (name === "id") this.lastId = value;
        else if (name === "retry") this.retry = Number(value);
        else if (name === "data") this.frames.push(JSON.parse(value) as Frame);
        else throw new Error(`not a line of an event: ${line}`);
      }
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
