import type { WireError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import type { Gates } from "../../push/ports.ts";
import { GATE_TYPE } from "../../push/target.ts";
import { retryDelay } from "../../reliable/call-state.ts";
import type { ObjectRef } from "../../router/directory.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Message } from "../storage/message-rows.ts";
import { type Deadlines, WAKE_AFTER } from "../turns/deadlines.ts";
import type { Observer } from "../turns/ports.ts";
import type { Carriage } from "./carriage.ts";
import { isParked, nextStep, outcomeOf, type Verdict, verdict } from "./delivery.ts";
import { GateStreams } from "./gate-streams.ts";
import { Lanes } from "./lanes.ts";
import type { OutboxTable } from "./outbox-table.ts";
import type { Sending } from "./sending.ts";

export interface DeliveryParts {
  readonly table: OutboxTable;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly observer: Observer;
  readonly carriage: Carriage;
  /** Undefined: the host has none. */
  readonly gates: Gates | undefined;
  readonly now: () => number;
  readonly config: { readonly callTimeout: number };
  /** Asks to be woken at `time`, should this process have ended. */
  readonly wakeBy: (time: number) => void;
}

interface Callbacks {
  /** Whether this process still sends it, and may write of it. */
  current(sending: Sending): boolean;
  /** It is delivered, or set aside, and that is durable. */
  done(sending: Sending): void;
}

/** Ms an answer to a message may take; the receiver has it by then, or it is sent again. */
const ANSWER_WITHIN = 10_000;
/** Ms that a receiver may refuse a message before it is set aside: all partitions run the same code again by then. */
const PATIENCE = 15 * 60_000;
/** Ms until the outcome of a parked call is asked for again. */
const PARKED_AGAIN = 5 * 60_000;

/** Takes messages through their steps: see `Outbox`. Each ends at a callback that does nothing once the message is not current. */
export class Deliveries {
  readonly stats = { delivered: 0, again: 0, parked: 0 };
  readonly #parts: DeliveryParts;
  readonly #callbacks: Callbacks;
  readonly #lanes: Lanes;
  readonly #streams: GateStreams;

  constructor(parts: DeliveryParts, callbacks: Callbacks) {
    this.#parts = parts;
    this.#callbacks = callbacks;
    this.#lanes = new Lanes((sending) => this.#send(sending));
    this.#streams = new GateStreams({
      ...parts,
      current: (sending) => callbacks.current(sending),
      request: (sending) => this.#request(sending),
      delivered: (sending) => this.#delivered(sending),
    });
  }

  add(sending: Sending): void {
    if (sending.message.to.type === GATE_TYPE) this.#streams.add(sending);
    else this.#lanes.add(sending);
  }

  remove(sending: Sending): void {
    this.#lanes.remove(sending);
  }

  /** Whether none is in line before a message that is new. */
  isFirst(message: Message): boolean {
    return !this.#lanes.has(message);
  }

  /** When to look after a message, should this process have ended; undefined while one before it is to be looked after. */
  wakeTime(sending: Sending): number | undefined {
    if (this.#lanes.isBehind(sending) || this.#streams.isBehind(sending)) return undefined;
    return sending.again ?? this.#parts.now() + Math.max(WAKE_AFTER, retryDelay(sending.attempts));
  }

  /** Goes on with a message from where it stands. */
  goOn(sending: Sending): void {
    if (!this.#callbacks.current(sending)) return;
    const { inLine, outcome, message } = sending;
    switch (nextStep({ inLine, outcome, onOutcome: message.onOutcome })) {
      case "send":
        this.#send(sending);
        return;
      case "ask":
        this.#ask(sending);
        return;
      case "tell":
        this.#tell(sending);
        return;
      case "remove":
        this.#delivered(sending);
    }
  }

  /** The first of its line: to be accepted by the receiver. */
  #send(sending: Sending): void {
    const { now } = this.#parts;
    const message = () => sending.toReceiver(this.#request(sending), "accepted", now() + ANSWER_WITHIN);
    this.#call(sending, sending.message.to, "send", message, (reply) =>
      this.#sent(sending, verdict(reply, "accepted")),
    );
  }

  #sent(sending: Sending, found: Verdict): void {
    if (found.kind === "again" || (found.kind === "refused" && this.#mayPass(sending, found.error))) {
      this.#again(sending);
      return;
    }
    sending.attempts = 0;
    sending.refusedAt = undefined;
    if (found.kind === "refused" && sending.message.onOutcome === null) {
      if (found.error.code !== "EXPIRED_CALL_ID") {
        this.#park(sending, found.error);
        return;
      }
      // To try again is in vain. The receiver may have had the call, and forgotten it since.
      this.#warn("a message waited for longer than its receiver keeps call marks, and may not have run", sending);
    }
    if (found.kind === "refused") sending.outcome = outcomeOf(found.error);
    if (found.kind === "ended") sending.outcome = found.outcome;
    // The receiver has it: the next of the pair may leave.
    this.#lanes.remove(sending);
    this.goOn(sending);
  }

  /** Asks for the outcome of an accepted call. */
  #ask(sending: Sending): void {
    const { now, config } = this.#parts;
    const message = () => sending.toReceiver(this.#request(sending), "outcome", now() + config.callTimeout);
    this.#call(sending, sending.message.to, "ask", message, (reply) => {
      const found = verdict(reply, "outcome");
      if (found.kind === "refused" && !this.#mayPass(sending, found.error)) sending.outcome = outcomeOf(found.error);
      if (found.kind === "ended") sending.outcome = found.outcome;
      if (sending.outcome === undefined) this.#again(sending, isParked(reply) ? PARKED_AGAIN : undefined);
      else {
        sending.attempts = 0;
        sending.refusedAt = undefined;
        this.#tell(sending);
      }
    });
  }

  /** Tells the sender the outcome. */
  #tell(sending: Sending): void {
    const { now } = this.#parts;
    const message = () => sending.toSender(now() + ANSWER_WITHIN);
    this.#call(sending, sending.sender, "send", message, (reply) => {
      const found = verdict(reply, "accepted");
      if (found.kind === "again") this.#again(sending);
      else if (found.kind !== "refused") this.#delivered(sending);
      else if (this.#mayPass(sending, found.error)) this.#again(sending);
      else this.#park(sending, found.error);
    });
  }

  /** Nothing is left to do: its row goes. */
  #delivered(sending: Sending): void {
    const { commit, table } = this.#parts;
    sending.leaving = true;
    commit.add(sending, table.remove, sending.message);
    commit.settled(sending, (error) => {
      if (!this.#callbacks.current(sending)) return;
      if (error !== undefined) {
        this.#again(sending);
        return;
      }
      this.stats.delivered++;
      this.#callbacks.done(sending);
    });
  }

  /** Sets it aside: it fails by its nature. */
  #park(sending: Sending, error: WireError): void {
    const { commit, table } = this.#parts;
    sending.leaving = true;
    commit.write(sending, () => table.park(sending.message, JSON.stringify(error)));
    commit.settled(sending, (failure) => {
      if (!this.#callbacks.current(sending)) return;
      if (failure !== undefined) {
        this.#again(sending);
        return;
      }
      this.#warn("a message can't be delivered, and is set aside", sending, error);
      this.stats.parked++;
      this.#lanes.remove(sending);
      this.#callbacks.done(sending);
    });
  }

  #warn(event: string, { sender, message }: Sending, error?: WireError): void {
    const { to, method, callId } = message;
    this.#parts.observer.warn(event, { ...sender, to, method, callId, ...(error === undefined ? {} : { error }) });
  }

  /** Tries it again, later each time. With a `delay`, when it is woken: `look` of the outbox goes on with it. */
  #again(sending: Sending, delay?: number): void {
    const { now, deadlines, wakeBy } = this.#parts;
    this.stats.again++;
    sending.attempts++;
    sending.leaving = false;
    const time = now() + (delay ?? retryDelay(sending.attempts));
    sending.again = time;
    wakeBy(time);
    if (delay !== undefined) return;
    deadlines.add(time, () => {
      if (sending.again !== time) return;
      sending.again = undefined;
      this.goOn(sending);
    });
  }

  /** Whether a refusal may be one of a partition that runs older or newer code. */
  #mayPass(sending: Sending, { code }: WireError): boolean {
    if (code === "EXPIRED_CALL_ID") return false;
    sending.refusedAt ??= this.#parts.now();
    return this.#parts.now() - sending.refusedAt < PATIENCE;
  }

  #request({ message }: Sending): string | null {
    return message.request === undefined ? this.#parts.table.request(message) : message.request;
  }

  #call(
    sending: Sending,
    object: ObjectRef,
    way: "send" | "ask",
    message: () => CallMessage,
    answered: (reply: Reply) => void,
  ): void {
    if (!this.#callbacks.current(sending)) return;
    this.#parts.carriage.call(object, way, {
      message: () => (this.#callbacks.current(sending) ? message() : undefined),
      answered: (reply) => {
        if (this.#callbacks.current(sending)) answered(reply);
      },
    });
  }
}
