import { Allowance, costOf } from "./allowance.ts";
import type { ClientFrame } from "./frames.ts";
import type { Wire } from "./ports.ts";
import type { Session } from "./session.ts";

/** Bounds of what is sent to a client and not acknowledged. */
export const WINDOW = { bytes: 256 * 1024, messages: 1_000 } as const;

/** A client that is connected: what it was sent, and what it has acknowledged. */
export class Connection {
  readonly wire: Wire;
  readonly session: Session;
  /** It has to be sent messages of the log after this number; undefined while it has been sent all there are. */
  behind: number | undefined;
  /** It is being sent what the log has. */
  reading = false;
  /** It has acknowledged nothing since somebody looked, though it should have. */
  stalled = false;
  /** What it may still send; undefined before it has sent anything. */
  #allowance: Allowance | undefined;
  /** When its credentials end, ms since the epoch. */
  expires: number | undefined;
  /** The name of its credentials, if they can be revoked. */
  credential: string | undefined;
  /** Called whenever it may have become settled; undefined: nobody waits for that. */
  onSettled: (() => void) | undefined;
  #calling = false;
  /** Messages on their way, and the first of them that is. */
  #flights: { readonly n: number; readonly bytes: number }[] = [];
  #first = 0;
  #bytes = 0;
  #noted: number;

  constructor(wire: Wire, session: Session, expires: number | undefined, credential?: string) {
    this.credential = credential;
    this.expires = expires;
    this.wire = wire;
    this.session = session;
    this.#noted = session.position;
  }

  /** Whether it may be sent another message now. */
  get hasRoom(): boolean {
    return this.#bytes < WINDOW.bytes && this.#flights.length - this.#first < WINDOW.messages;
  }

  /** Whether it is worth while to send more. */
  get isHalfFree(): boolean {
    return this.#bytes <= WINDOW.bytes / 2 && this.#flights.length - this.#first <= WINDOW.messages / 2;
  }

  /** Whether it is about to be sent away: it gets nothing new. */
  get isLeaving(): boolean {
    return this.onSettled !== undefined;
  }

  /** Whether it has acknowledged all that it is to get here, and waits for no call. */
  get isSettled(): boolean {
    const isSentAll = this.behind === undefined || this.isLeaving;
    return isSentAll && this.#first === this.#flights.length && !this.#calling;
  }

  /** Bytes that it was sent and has not acknowledged. */
  get flying(): number {
    return this.#bytes;
  }

  sent(n: number, bytes: number): void {
    this.#flights.push({ n, bytes });
    this.#bytes += bytes;
  }

  /** The client has everything for it up to message `n`. */
  acknowledge(n: number): void {
    this.stalled = false;
    for (let flight = this.#flights[this.#first]; flight !== undefined && flight.n <= n; ) {
      this.#bytes -= flight.bytes;
      this.#first++;
      flight = this.#flights[this.#first];
    }
    if (this.#first * 2 > this.#flights.length) {
      this.#flights = this.#flights.slice(this.#first);
      this.#first = 0;
    }
    if (this.isSettled) this.onSettled?.();
  }

  /** Everything for this client up to this message is acknowledged: all there are, when nothing is on its way. */
  position(head: number): number {
    const flight = this.#flights[this.#first];
    return flight === undefined ? (this.behind ?? head) : flight.n - 1;
  }

  /** Where its session goes on when it is over. A stream has acknowledged nothing: its client says it when it comes back. */
  goesOnAfter(head: number): number {
    return this.wire.isStream === true ? this.session.position : this.position(head);
  }

  /** Has its place kept with the connection. */
  note(head: number): void {
    this.#noted = this.position(head);
    this.#keep();
  }

  /** What may be done with a frame that its client has sent. @param rate frames a second */
  admit(frame: ClientFrame, rate: number, now: number): ReturnType<Allowance["spend"]> {
    this.#allowance ??= new Allowance(rate, now);
    return this.#allowance.spend(costOf(frame, rate), rate, now);
  }

  /** Whether its credentials have expired. */
  isOver(now: number): boolean {
    return this.expires !== undefined && this.expires <= now;
  }

  /** Whether it has open calls: kept with the connection, so that one that outlasts them can be ended. */
  set isCalling(calling: boolean) {
    this.#calling = calling;
    this.#keep();
    if (this.isSettled) this.onSettled?.();
  }

  #keep(): void {
    const { expires, credential } = this;
    this.wire.note({
      kind: "open",
      client: this.session.client,
      acked: this.#noted,
      ...(this.#calling ? { calling: true } : {}),
      ...(expires === undefined ? {} : { expires }),
      ...(credential === undefined ? {} : { credential }),
    });
  }
}
