import type { PushMessage } from "../../push/message-log.ts";
import type { Gates } from "../../push/ports.ts";
import { GATE_TYPE } from "../../push/target.ts";
import { retryDelay } from "../../reliable/call-state.ts";
import type { Deadlines } from "../turns/deadlines.ts";
import type { Sending } from "./sending.ts";

interface Parts {
  readonly gates: Gates | undefined;
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** Whether this process still sends it. */
  readonly current: (sending: Sending) => boolean;
  /** What it sends, as JSON text. */
  readonly request: (sending: Sending) => string | null;
  /** The gate has it, durably. */
  readonly delivered: (sending: Sending) => void;
}

/** Messages that go to a gate at once, and characters of them unless one has more. */
const BATCH = { messages: 200, characters: 1024 * 1024 };

interface Stream {
  waiting: Sending[];
  /** Batches in a row that were in vain. */
  failures: number;
}

/**
 * Messages on their way to gates, each gate's in one stream: a batch at a time, in order. If a batch fails it goes first again, so
 * the messages of an object keep their order; the gate knows those that it has by their call ids ([PUSH4]).
 */
export class GateStreams {
  readonly #parts: Parts;
  readonly #streams = new Map<string, Stream>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  add(sending: Sending): void {
    const gate = sending.message.to.id;
    const stream = this.#streams.get(gate);
    if (stream !== undefined) {
      stream.waiting.push(sending);
      return;
    }
    const begun: Stream = { waiting: [sending], failures: 0 };
    this.#streams.set(gate, begun);
    // What the same commit has sent goes along.
    queueMicrotask(() => void this.#send(gate, begun));
  }

  /** Whether another message goes first. */
  isBehind(sending: Sending): boolean {
    const first = this.#streams.get(sending.message.to.id)?.waiting[0];
    return sending.message.to.type === GATE_TYPE && first !== undefined && first !== sending;
  }

  async #send(gate: string, stream: Stream): Promise<void> {
    const { gates, deadlines, now, current, delivered } = this.#parts;
    while (stream.waiting.length > 0) {
      stream.waiting = stream.waiting.filter(current);
      try {
        const { sendings, messages } = this.#batch(stream.waiting);
        if (messages.length > 0) {
          if (gates === undefined) throw new Error("the host has no gates any more");
          await gates.deliver(gate, messages);
        }
        stream.waiting.splice(0, sendings.length);
        stream.failures = 0;
        for (const sending of sendings) if (current(sending)) delivered(sending);
      } catch {
        stream.failures++;
        for (const sending of stream.waiting.slice(0, 1)) sending.attempts = stream.failures;
        deadlines.add(now() + retryDelay(stream.failures), () => void this.#send(gate, stream));
        return;
      }
    }
    this.#streams.delete(gate);
  }

  #batch(waiting: readonly Sending[]): { sendings: Sending[]; messages: PushMessage[] } {
    const sendings: Sending[] = [];
    const messages: PushMessage[] = [];
    let characters = 0;
    for (const sending of waiting) {
      if (messages.length === BATCH.messages || characters >= BATCH.characters) break;
      const data = this.#parts.request(sending);
      sendings.push(sending);
      if (data === null) continue;
      const { callId, method } = sending.message;
      messages.push({ callId, target: method, data });
      characters += data.length;
    }
    return { sendings, messages };
  }
}
