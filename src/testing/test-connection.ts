import type { StateOf } from "../object/contract.ts";
import type { ObjectClass } from "../object/object-class.ts";
import { pause } from "../platform/pause.ts";
import type { Clock } from "../platform/ports.ts";
import type { Gate } from "../push/gate.ts";
import type { Wire } from "../push/ports.ts";
import { ManualClock } from "./clocks.ts";
import { type SeenPresence, TestPresence } from "./test-presence.ts";
import { TestWatch } from "./test-watch.ts";

/** What a client gets: a message, for a topic or for itself, or that some may be missing. */
export interface ClientMessage {
  readonly kind: "message" | "gap";
  readonly n: number;
  readonly topic?: string;
  readonly data?: unknown;
}

type Frame = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** Ms between two looks for a message, and after which there is none. */
const LOOK = 1;
const WITHIN = 1_000;

/** A client that is connected. It acknowledges each message when the test takes it. */
export class TestConnection {
  /** @internal */
  readonly wire: Wire = {
    heardAt: undefined,
    send: (text) => this.#received(text),
    close: (code) => this.lost(code),
    note() {},
  };
  /** False: it does not say what it has read, as a client that is slow. */
  reads = true;
  /** Why each topic was refused that was. */
  readonly refused = new Map<string, string>();
  /** Its id: what `this.push` takes. */
  client = "";
  /** The code with which its gate has closed the last connection; undefined while it is open, and when it broke. */
  closed: number | undefined;
  /** Whether the last connection went on with the session. */
  resumed = false;
  readonly #clock: Clock;
  readonly #enter: (made: TestConnection, session: { readonly client: string } | undefined) => Gate;
  readonly #waiting: ClientMessage[] = [];
  readonly #watches = new Map<number, TestWatch>();
  readonly #presence = new TestPresence();
  #watched = 0;
  #check: object | undefined;

  #gate: Gate | undefined;
  #session: string | undefined;
  #seen = 0;

  /** @internal */
  constructor(clock: Clock, enter: (made: TestConnection, session: { readonly client: string } | undefined) => Gate) {
    this.#clock = clock;
    this.#enter = enter;
  }

  /** Whether it is connected. */
  get isOpen(): boolean {
    return this.#gate !== undefined;
  }

  /** Messages that have come and were not taken. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The next message. @throws Error when none comes within a second */
  async next(): Promise<ClientMessage> {
    const message = await this.#look(() => this.#waiting.shift());
    if (message === undefined) throw new Error("no message came");
    this.#say({ kind: "ack", seen: message.n });
    return message;
  }

  /** Listens to a topic. @param options `presence`: it takes part, which goes on over connections; false: no more */
  subscribe(topic: string, { presence }: { readonly presence?: boolean } = {}): void {
    if (presence !== undefined) this.#presence.ask(topic, presence);
    this.#say({ kind: "subscribe", topic, ...(presence === undefined ? {} : { presence }) });
  }

  /** Who takes part in a topic, as far as this client was told; undefined: it was not. */
  presence(topic: string): SeenPresence | undefined {
    return this.#presence.of(topic);
  }

  unsubscribe(topic: string): void {
    this.#presence.ask(topic, false);
    this.#say({ kind: "unsubscribe", topic });
  }

  /** Watches an object: what comes is in what this gives. It goes on over connections. */
  watch<Class extends ObjectClass>({ type }: Class, id: string): TestWatch<StateOf<Class>> {
    const watch = new TestWatch<StateOf<Class>>(type, id);
    this.#watches.set(++this.#watched, watch);
    this.#watch(this.#watched);
    return watch;
  }

  /** Watches no more. */
  unwatch(watch: TestWatch): void {
    for (const [id, known] of this.#watches) {
      if (known !== watch) continue;
      this.#watches.delete(id);
      if (this.#gate !== undefined) this.#say({ kind: "cancel", id });
    }
  }

  /** Says that it has read what came. */
  read(): void {
    const check = this.#check;
    this.#check = undefined;
    if (check !== undefined && this.#gate !== undefined) this.#say(check);
  }

  /** Ends the session. */
  leave(): void {
    this.#say({ kind: "leave" });
  }

  /** Breaks the connection, as when a client loses its network. */
  cut(): void {
    const gate = this.#gate;
    this.lost();
    gate?.closed(this.wire);
  }

  /** Connects again, and goes on with the session. */
  async resume(): Promise<void> {
    await this.open([]);
  }

  /** @internal */
  async open(topics: readonly string[]): Promise<void> {
    this.#presence.opened();
    const known =
      this.#session === undefined ? undefined : { client: this.#session.slice(0, this.#session.lastIndexOf(".")) };
    this.client = "";
    this.closed = undefined;
    this.#gate = this.#enter(this, known);
    this.#say({ kind: "hello", seen: this.#seen, topics, ...(known === undefined ? {} : { session: this.#session }) });
    await this.#look(() => this.client || undefined);
    for (const id of this.#watches.keys()) this.#watch(id);
    for (const topic of this.#presence.topics) this.#say({ kind: "subscribe", topic, presence: true });
  }

  /** @internal */
  lost(code?: number): void {
    if (this.#gate !== undefined) this.closed = code;
    this.#gate = undefined;
  }

  #received(text: string): void {
    if (this.#gate === undefined) return;
    const frames = JSON.parse(text) as Frame | Frame[];
    for (const frame of Array.isArray(frames) ? frames : [frames]) this.#take(frame);
  }

  #take(frame: Frame): void {
    if (frame.kind === "welcome") {
      this.client = frame["client"] as string;
      this.#session = frame["session"] as string;
      this.resumed = frame["resumed"] as boolean;
      this.#seen = frame["seen"] as number;
    } else if (frame.kind === "check") {
      this.#check = frame;
      if (this.reads) this.read();
    } else if (["state", "patch", "gone", "result"].includes(frame.kind)) {
      this.#watches.get(frame["id"] as number)?.take(frame);
    } else if (frame.kind === "presence") {
      this.#presence.take(frame);
    } else if (frame.kind === "error") {
      this.refused.set(String(frame["topic"]), (frame["error"] as { code: string }).code);
    } else if (frame.kind === "message" || frame.kind === "gap") {
      const message = frame as unknown as ClientMessage;
      // What was not acknowledged may come again.
      if (message.n <= this.#seen) return;
      this.#seen = message.n;
      this.#waiting.push(message);
    }
  }

  #watch(id: number): void {
    // It is asked for once there is a connection again.
    if (this.#gate === undefined) return;
    const { type, id: object, version } = this.#watches.get(id) as TestWatch;
    this.#say({ kind: "watch", id, type, object, ...(version === undefined ? {} : { version }) });
  }

  #say(frame: object): void {
    if (this.#gate === undefined) throw new Error("this client is not connected");
    void this.#gate.received(this.wire, JSON.stringify(frame));
  }

  async #look<T>(found: () => T | undefined): Promise<T | undefined> {
    const look = async () => {
      for (let waited = 0; waited <= WITHIN; waited += LOOK) {
        const value = found();
        if (value !== undefined) return value;
        await pause(this.#clock, LOOK);
      }
      return undefined;
    };
    return this.#clock instanceof ManualClock ? this.#clock.until(look()) : look();
  }
}
