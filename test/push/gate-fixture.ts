import type { Identity } from "../../src/access/identity.ts";
import { configSchema } from "../../src/config/config.ts";
import { Registry } from "../../src/object/registry.ts";
import type { CallTaker } from "../../src/push/client-calls.ts";
import { CLOSE } from "../../src/push/close-codes.ts";
import { Gate } from "../../src/push/gate.ts";
import type { GateOptions } from "../../src/push/gate-options.ts";
import type { Wire, WireNote } from "../../src/push/ports.ts";
import { type PushOptions, PushRules } from "../../src/push/push-rules.ts";
import { newCallId } from "../../src/reliable/call-id.ts";
import { ManualClock, settle } from "../../src/testing/clocks.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import { testUuid } from "../../src/testing/test-uuid.ts";

export type Frame = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** The client's end of a connection. */
export class TestWire implements Wire {
  readonly frames: Frame[] = [];
  /** Messages that they came in. */
  messages = 0;
  closed: number | undefined;
  kept: WireNote | undefined;
  heardAt: number | undefined;

  send(text: string): void {
    if (this.closed !== undefined) return;
    const frames = JSON.parse(text) as Frame | Frame[];
    this.messages++;
    this.frames.push(...(Array.isArray(frames) ? frames : [frames]));
  }

  close(code: number): void {
    this.closed ??= code;
  }

  note(note: WireNote): void {
    // What a note may hold is what a clone of it holds.
    this.kept = structuredClone(note);
  }

  /** Takes the frames that have come. */
  take(): Frame[] {
    return this.frames.splice(0);
  }
}

/** A client as a good one behaves: it acknowledges what it gets if it is told to, and takes no message twice. */
export class TestClient {
  readonly wire: TestWire;
  readonly #gate: () => Gate;

  constructor(gate: () => Gate, wire: TestWire) {
    this.#gate = gate;
    this.wire = wire;
  }

  async say(frame: unknown): Promise<Frame[]> {
    await this.#gate().received(this.wire, typeof frame === "string" ? frame : JSON.stringify(frame));
    await settle();
    return this.wire.take();
  }

  async cut(): Promise<void> {
    this.wire.closed = 1006;
    this.#gate().closed(this.wire);
    await settle();
  }
}

export const ANYTHING: PushOptions = { topics: { "**": { anonymous: true } } };

const NOBODY: CallTaker = { registry: new Registry([]), batch: () => Promise.reject(new Error("nobody is called")) };

/** A gate over a clock that stands still. Its process can end, with the connections or without. */
export class GateFixture {
  readonly clock = new ManualClock();
  readonly storage = new SqliteStorage();
  readonly warnings: string[] = [];
  /** For whom a token speaks: nobody, unless a test says so. */
  identify: (token: string) => Identity | null = () => null;
  readonly #calls: CallTaker;
  gate: Gate;
  readonly #rules: PushRules;
  readonly #config: GateOptions["config"];
  readonly #watched: Partial<Pick<GateOptions, "registry" | "live" | "settings">>;
  #wires: TestWire[] = [];
  #uuids = 0;
  #sent = 0;

  constructor(
    push: PushOptions = ANYTHING,
    config: Partial<GateOptions["config"]> = {},
    calls: CallTaker = NOBODY,
    watched: Partial<Pick<GateOptions, "registry" | "live" | "settings">> = {},
  ) {
    this.#calls = calls;
    this.#watched = watched;
    this.#rules = new PushRules(push);
    this.#config = { ...configSchema.parse({}), pushLog: 1024 * 1024, gateClients: 100, ...config };
    this.gate = this.#make();
  }

  get config() {
    return this.#config;
  }

  /** The memory of its process is lost; connections stay if it only slept. */
  restart(connections: "kept" | "lost"): void {
    const open = this.#wires.filter(({ closed }) => closed === undefined);
    if (connections === "lost") for (const wire of open) wire.close(1006);
    this.gate = this.#make();
    const kept = connections === "kept" ? open : [];
    this.gate.restore(kept.map((wire) => [wire, wire.kept as WireNote]));
  }

  open(identity: Identity | null = null, expires?: number, client = "", credential?: string): TestClient {
    const wire = new TestWire();
    this.#wires.push(wire);
    this.gate.checkRoom(client);
    this.gate.open(wire, identity, expires, credential);
    return new TestClient(() => this.gate, wire);
  }

  /** A client that has said hello, its welcome, and what came with it. */
  async connect(hello: object = {}, identity: Identity | null = null, expires?: number) {
    const client = this.open(identity, expires);
    const [welcome, ...more] = await client.say({ kind: "hello", ...hello });
    return { client, welcome: welcome as Frame, more };
  }

  message(target: string, data: unknown, sentAt = this.clock.now()) {
    return { callId: newCallId(sentAt, testUuid(1_000_000 + this.#sent++)), target, data: JSON.stringify(data) };
  }

  /** Gives the gate messages to everybody who listens to the topic. */
  async publish(topic: string, ...messages: unknown[]): Promise<void> {
    await this.gate.deliver(messages.map((data) => this.message(`topic ${topic}`, data)));
    await settle();
  }

  /** Rings the alarm if its time has come. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    if (this.storage.wake !== null && this.storage.wake <= this.clock.now()) {
      this.storage.wake = null;
      await this.gate.wake();
    }
    await settle();
  }

  #make(): Gate {
    return new Gate({
      name: "g0",
      storage: this.storage,
      clock: this.clock,
      random: { uuid: () => testUuid(this.#uuids++) },
      rules: this.#rules,
      config: this.#config,
      disconnect: undefined,
      calls: this.#calls,
      hold: () => undefined,
      identify: async (token) => this.identify(token),
      registry: new Registry([]),
      gates: { names: ["g0"], presence: () => Promise.reject(new Error("there is no other gate")) },
      live: { owner: () => "p0", watch: () => new Promise(() => undefined) },
      ...this.#watched,
      call: () => Promise.reject(new Error("nobody is called")),
      warn: (event) => this.warnings.push(event),
      onLost: () => this.restart("lost"),
    });
  }
}

export const data = (frames: readonly Frame[]) =>
  frames.map((frame) => (frame.kind === "message" ? frame["data"] : frame.kind));

export { CLOSE };
