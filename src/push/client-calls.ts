import type { Identity } from "../access/identity.ts";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Caller } from "../object/call.ts";
import type { CallMessage, FinalReply } from "../object/message.ts";
import type { Registry } from "../object/registry.ts";
import { traceParent } from "../object/trace-parent.ts";
import type { GateCounters } from "../observe/gate-counters.ts";
import type { Clock, Random } from "../platform/ports.ts";
import type { Answered } from "../router/batch.ts";
import { clientCall } from "../router/client-call.ts";
import { type CallFrame, resultFrame } from "./call-frames.ts";
import type { Connection } from "./connection.ts";
import { checkFrame } from "./frames.ts";
import type { Outgoing } from "./outgoing.ts";
import { Unread } from "./unread.ts";

/** Who pays for a call: an identity, else whoever the connection comes from. */
export interface Payer {
  readonly identity: Identity | null;
  readonly origin: string | undefined;
}

/** What takes calls of clients to partitions. */
export interface CallTaker {
  readonly registry: Registry;
  /** Takes what a call costs its client, or without a method a look at something ([LIM4]). @throws EdgeverseError `RATE_LIMITED` */
  readonly charge?: (who: Payer, type: string, method?: string) => void;
  /**
   * Many calls at once. Never rejects.
   *
   * @param answered hears of each reply as soon as it is there
   * @param isLeft whether nobody waits for a call any more
   */
  batch(messages: readonly CallMessage[], answered: Answered, isLeft: (index: number) => boolean): Promise<unknown>;
  /** Drops those of them that have not begun. */
  readonly withdraw?: (messages: readonly CallMessage[]) => void;
}

interface Parts {
  readonly calls: CallTaker;
  readonly config: { readonly maxMessage: number; readonly callTimeout: number; readonly maxCallTimeout: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly outgoing: Outgoing;
  readonly counters: GateCounters;
  /** Keeps the process in memory until the work is done. */
  readonly hold: (work: Promise<unknown>) => void;
  /** The client takes no results. */
  readonly tooMuch: (connection: Connection) => void;
}

interface OpenCall {
  readonly id: number;
  /** Under which it is among the open ones: its number, unless that is free again. */
  key: number;
  readonly connection: Connection;
  readonly message: CallMessage;
  /** Partitions have it. */
  sent: boolean;
  /** Nobody waits for it any more. */
  left: boolean;
}

/** Calls of one client that may be open, and bytes of those of all clients of a gate, with results that are on their way. */
export const OPEN = { calls: 256, bytes: 32 * 1024 * 1024 } as const;
/** Bytes that an open call takes beside its request, roughly. */
const EACH = 512;
/** Calls that go to partitions together. */
const TOGETHER = 1_000;

/**
 * Calls that clients make over their connections ([PUSH8]). What comes in one turn of the event loop goes to partitions
 * together, and results that are there together go to their client together. A call that has not begun when its client is gone
 * is dropped ([TURN12]).
 */
export class ClientCalls {
  readonly #parts: Parts;
  /** Only of clients that have some. */
  readonly #open = new Map<Connection, Map<number, OpenCall>>();
  /** Only of clients that were sent results. */
  readonly #unread = new Map<Connection, Unread>();
  #waiting: OpenCall[] = [];
  /** Sent, and left in this turn of the event loop. */
  #leaving: CallMessage[] = [];
  #bytes = 0;
  readonly #prefix: string;
  #made = 0;
  #cancelled = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#prefix = parts.random.uuid().slice(0, 8);
  }

  /** Bytes of open calls, and of results that clients have yet to take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Calls that are open. */
  get count(): number {
    let count = 0;
    for (const calls of this.#open.values()) count += calls.size;
    return count;
  }

  /** Takes a call. What is wrong with it goes to the client. @throws EdgeverseError `INVALID_ARGUMENT` when its number is in use */
  take(connection: Connection, { id, call }: CallFrame): void {
    const open = this.#open.get(connection);
    if (open?.has(id) === true)
      throw new EdgeverseError("INVALID_ARGUMENT", `Request ${id} is still open; give each its own number`);
    try {
      if (call instanceof EdgeverseError) throw call;
      this.#checkRoom(connection, open?.size ?? 0);
      const message = this.#message(connection, call);
      this.#add({ id, key: id, connection, message, sent: false, left: false }, open);
    } catch (error) {
      this.refuse(connection, id, EdgeverseError.from(error));
    }
  }

  /** Answers a call that is not made. */
  refuse(connection: Connection, id: number, error: EdgeverseError): void {
    this.#parts.outgoing.send(connection.wire, resultFrame(id, { kind: "error", error: error.toWire() }));
  }

  /** Nobody waits for the call any more: it is dropped if it has not begun. Its number is free, though it counts until it ends. */
  cancel(connection: Connection, id: number): void {
    const open = this.#open.get(connection);
    const call = open?.get(id);
    if (call === undefined) return;
    this.#leave(call);
    open?.delete(id);
    call.key = -++this.#cancelled;
    open?.set(call.key, call);
  }

  /** The client has read what came before this check. */
  checked(connection: Connection, n: number): void {
    this.#bytes -= this.#unread.get(connection)?.read(n) ?? 0;
  }

  /** Whether a client has read nothing since this was asked last, though it has to. */
  isStalled(connection: Connection): boolean {
    return this.#unread.get(connection)?.isStalled() ?? false;
  }

  /** The connection has ended. */
  forget(connection: Connection): void {
    for (const call of this.#open.get(connection)?.values() ?? []) this.#leave(call);
    this.#bytes -= this.#unread.get(connection)?.counted ?? 0;
    this.#unread.delete(connection);
  }

  #checkRoom(connection: Connection, open: number): void {
    if (open >= OPEN.calls) throw busy(`A client may have ${OPEN.calls} open calls`);
    if (this.#unread.get(connection)?.isMuch === true) throw busy("Read the results that were sent before");
    if (this.#bytes >= OPEN.bytes) throw busy("The gate has too many open calls");
  }

  #message({ session, wire }: Connection, call: Exclude<CallFrame["call"], EdgeverseError>): CallMessage {
    const { clock, config, calls } = this.#parts;
    const { identity } = session;
    const timeout = call.timeout === undefined ? undefined : Math.min(call.timeout, config.maxCallTimeout);
    const caller: Caller = identity === null ? CLIENT : { kind: "client", identity };
    const requestId = `${this.#prefix}-${(this.#made++).toString(36)}`;
    const traceparent = traceParent(call.traceparent ?? null);
    const who = { identity, origin: wire.origin };
    const charge = (type: string, method: string) => calls.charge?.(who, type, method);
    const common = { caller, requestId, now: clock.now(), timeout, traceparent, charge };
    return clientCall({ registry: calls.registry, config }, call.item, [], common);
  }

  #add(call: OpenCall, open: Map<number, OpenCall> | undefined): void {
    if (open === undefined) {
      this.#open.set(call.connection, new Map([[call.id, call]]));
      call.connection.isCalling = true;
    } else open.set(call.id, call);
    this.#bytes += weightOf(call);
    this.#parts.counters.add("calls");
    this.#waiting.push(call);
    if (this.#waiting.length === 1) this.#parts.clock.soon(() => this.#send());
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const wanted = waiting.filter((call) => !call.left || this.#end(call));
    for (let from = 0; from < wanted.length; from += TOGETHER) {
      const calls = wanted.slice(from, from + TOGETHER);
      const messages = calls.map(({ message }) => message);
      for (const call of calls) call.sent = true;
      const { batch } = this.#parts.calls;
      const at = (index: number) => calls[index] as OpenCall;
      this.#parts.hold(
        batch(
          messages,
          (index, reply) => this.#answer(at(index), reply),
          (index) => at(index).left,
        ),
      );
    }
  }

  /** A reliable call may be accepted by now, and goes on to its end. */
  #leave(call: OpenCall): void {
    const { sent, left, message } = call;
    call.left = true;
    if (left || !sent || message.reliable !== undefined) return;
    this.#leaving.push(message);
    if (this.#leaving.length > 1) return;
    this.#parts.clock.soon(() => this.#parts.calls.withdraw?.(this.#leaving.splice(0)));
  }

  #answer(call: OpenCall, reply: FinalReply): void {
    this.#end(call);
    if (call.left) return;
    call.left = true;
    const { connection } = call;
    const { outgoing, tooMuch } = this.#parts;
    const text = resultFrame(call.id, reply);
    outgoing.send(connection.wire, text);
    let unread = this.#unread.get(connection);
    if (unread === undefined) {
      unread = new Unread(this.#parts.clock.now());
      this.#unread.set(connection, unread);
    }
    const counted = unread.counted;
    const check = unread.sent(text.length);
    this.#bytes += unread.counted - counted;
    if (check !== undefined) outgoing.send(connection.wire, checkFrame(check));
    if (unread.isTooMuch) tooMuch(connection);
  }

  /** @returns false, for what is no more */
  #end(call: OpenCall): false {
    this.#bytes -= weightOf(call);
    const { connection } = call;
    const open = this.#open.get(connection);
    open?.delete(call.key);
    if (open?.size === 0) {
      this.#open.delete(connection);
      connection.isCalling = false;
    }
    return false;
  }
}

const CLIENT: Caller = { kind: "client" };

function weightOf({ message }: OpenCall): number {
  return EACH + (message.request?.length ?? 0);
}

function busy(why: string): EdgeverseError {
  return new EdgeverseError("OVERLOADED", `${why}; the call was not made`, { retryAfter: 1 });
}
