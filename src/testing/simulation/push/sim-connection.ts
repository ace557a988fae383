import type { Gate } from "../../../push/gate.ts";
import type { Wire, WireNote } from "../../../push/ports.ts";
import { invocation } from "../../platform-limits.ts";
import type { Random } from "../random.ts";
import type { SimTime } from "../sim-clock.ts";
import type { SimProcess } from "../sim-process.ts";
import { SentFrames } from "./sent-frames.ts";

/** The client's end. */
export interface ClientEnd {
  opened(): void;
  received(text: string): void;
  /** It is over, told once; not if the client has cut it. */
  lost(code: number): void;
}

interface Parts {
  readonly time: SimTime;
  readonly random: Random;
  /** The gate's process, started if it sleeps: then it has taken up this connection. Undefined if it can't be. */
  readonly wake: () => SimProcess | undefined;
  readonly trace: (what: string) => void;
  readonly broken: (error: unknown) => void;
}

/** Ms until an end is told to the other side. */
const TOLD_WITHIN = 2_000;

/** A WebSocket between a client and a gate: what either says arrives in order, or the connection breaks. */
export class SimConnection {
  readonly name: string;
  readonly end: ClientEnd;
  readonly frames = new SentFrames();
  readonly parts: Parts;
  /** The gate's side of it; undefined while the gate sleeps, and before it is opened. */
  wire: SimWire | undefined;
  /** What the gate keeps with it. */
  note: WireNote | undefined;
  /** When the gate may have held it for ended, at the earliest. */
  endedAt: number | undefined;
  /** Whether the gate will hear nothing of it any more. */
  over = false;
  #open = true;
  #upAt = 0;
  #downAt = 0;

  constructor(name: string, end: ClientEnd, parts: Parts) {
    this.name = name;
    this.end = end;
    this.parts = parts;
  }

  /** The client says something. */
  say(frame: object): void {
    if (!this.#open) return;
    const text = JSON.stringify(frame);
    this.#up(() =>
      this.#arrive((gate, wire) => {
        this.parts.trace(`${this.name} says ${text.slice(0, 80)}`);
        this.frames.heard(text);
        return gate.received(wire, text);
      }),
    );
  }

  /** The client has lost it, and knows. The gate learns it later; what was said on the way may be lost. */
  cut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#ended();
    const { random } = this.parts;
    this.#upAt += random.chance(0.3) ? random.between(0, TOLD_WITHIN) : random.between(0, 30);
    this.#tellGate();
  }

  /** The gate has closed it, or sent something: it arrives. */
  down(action: "close" | string, code = 0): void {
    const { time } = this.parts;
    if (action === "close") this.#ended();
    this.#downAt = Math.max(this.#downAt, time.now + this.#delay());
    time.at(this.#downAt, () => {
      if (!this.#open) return;
      if (action !== "close") this.end.received(action);
      else {
        this.#open = false;
        this.#tellGate();
        this.end.lost(code);
      }
    });
  }

  /** The process that had it has ended. */
  breaks(): void {
    const { time, random } = this.parts;
    this.over = true;
    this.#ended();
    time.after(random.between(0, random.chance(0.3) ? TOLD_WITHIN : 50), () => {
      if (!this.#open) return;
      this.#open = false;
      this.end.lost(1006);
    });
  }

  #ended(): void {
    this.endedAt ??= this.parts.time.now;
  }

  #tellGate(): void {
    this.#up(() => {
      this.#arrive(async (gate, wire) => {
        this.parts.trace(`${this.name} is closed`);
        this.over = true;
        gate.closed(wire);
      });
    });
  }

  #up(action: () => void): void {
    const { time } = this.parts;
    this.#upAt = Math.max(this.#upAt, time.now + this.#delay());
    time.at(this.#upAt, action);
  }

  #arrive(action: (gate: Gate, wire: SimWire) => Promise<void>): void {
    if (this.over) return;
    const { wake, trace } = this.parts;
    if (this.wire === undefined) wake();
    const { wire } = this;
    if (wire === undefined) {
      this.breaks();
      return;
    }
    wire.process.run(() => {
      if (this.over) return;
      const made = wire.process.service["gate"] as (() => Gate) | undefined;
      if (made === undefined) {
        this.breaks(); // The process ends as it begins: its disk is full, or broken.
        return;
      }
      const gate = made();
      invocation(() => action(gate, wire)).catch((error: unknown) => trace(`${this.name} failed: ${error}`));
    });
  }

  #delay(): number {
    const { random } = this.parts;
    return random.chance(0.1) ? random.between(0, 300) : random.between(0.1, 5);
  }
}

/** The gate's side of a connection, in one process of the gate. */
export class SimWire implements Wire {
  readonly heardAt = undefined;
  readonly connection: SimConnection;
  readonly process: SimProcess;
  /** What waits until all that was written before it is durable. */
  readonly #leaving: { readonly out: () => void; free: boolean }[] = [];
  #closed = false;

  constructor(connection: SimConnection, process: SimProcess) {
    this.connection = connection;
    this.process = process;
    connection.wire = this;
    connection.frames.anew();
  }

  get isResting(): boolean {
    return this.#leaving.length === 0;
  }

  send(text: string): void {
    const { connection, process } = this;
    if (this.#closed || connection.over || !process.alive) return;
    try {
      connection.frames.sent(text, process.storage?.isGate === true);
    } catch (error) {
      connection.parts.broken(error);
    }
    this.#leave(() => connection.down(text));
  }

  close(code: number): void {
    if (this.#closed || this.connection.over || !this.process.alive) return;
    this.#closed = true;
    this.#leave(() => this.connection.down("close", code));
  }

  note(note: WireNote): void {
    this.connection.note = note;
  }

  #leave(out: () => void): void {
    const leaving = { out, free: false };
    this.#leaving.push(leaving);
    this.process.leave(() => {
      leaving.free = true;
      while (this.#leaving[0]?.free === true) this.#leaving.shift()?.out();
    });
  }
}
