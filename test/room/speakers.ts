import { setTimeout as sleep } from "node:timers/promises";
import { isErrorCode } from "../../src/errors/codes.ts";
import type { LibraryMember } from "./library-member.ts";
import type { CallOutcome, Member } from "./member.ts";
import type { Record } from "./record.ts";

interface Parts {
  readonly url: string;
  readonly record: Record;
  readonly random: () => number;
  readonly members: readonly Member[];
  readonly library: readonly LibraryMember[];
  /** Ms between two messages. */
  readonly pause: number;
}

/** How large a message is now and then. */
const LARGE = 120_000;

/** Those who talk in the room: over HTTP, over the connections of members, and by the client library. */
export class Speakers {
  readonly #parts: Parts;
  readonly counts: { [way: string]: number } = {};
  #said = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @returns once all that was begun has its answer */
  async run(stop: AbortSignal): Promise<void> {
    const ways = [() => this.#http(), () => this.#http(), () => this.#socket(), () => this.#library()];
    await Promise.all(
      ways.map(async (way) => {
        while (!stop.aborted) {
          await way();
          await sleep(this.#parts.pause * ways.length * (0.5 + this.#parts.random()));
        }
      }),
    );
  }

  /** Once gates keep little, it is to be filled: then clients come back to less than they have missed. */
  get #largeShare(): number {
    return this.#parts.record.gapsAreFine ? 0.3 : 0.01;
  }

  #text(): string {
    return `line-${this.#said++}`;
  }

  /** A reliable call, until it has an outcome. */
  async #http(): Promise<void> {
    const { url, random, members } = this.#parts;
    const text = this.#text();
    const fail = random() < 0.05;
    if (fail) this.#parts.record.takenBack(text);
    const to = random() < 0.3 ? members[Math.floor(random() * members.length)]?.client : undefined;
    const request = {
      text,
      fail,
      ...(to === undefined ? {} : { to }),
      filling: random() < this.#largeShare ? LARGE : 0,
    };
    for (;;) {
      const answer = await fetch(`${url}/api/v1/objects/call/Room/main/say`, {
        method: "POST",
        headers: { "idempotency-key": `room-${text}` },
        body: JSON.stringify({ request }),
        signal: AbortSignal.timeout(30_000),
      }).then(
        async (response) =>
          (await response.json()) as { response?: { number: number }; code?: string; retryable?: boolean },
        () => undefined,
      );
      const outcome =
        answer?.code === undefined ? answer : { error: { code: answer.code, retryable: answer.retryable === true } };
      if (this.#settled("http", text, to, outcome)) return;
      await sleep(200 * random());
    }
  }

  /** Half of them are plain: whether one that was cut was said, nobody knows. */
  async #socket(): Promise<void> {
    const { random, members } = this.#parts;
    const text = this.#text();
    const callId = random() < 0.5 ? `room-${text}` : undefined;
    for (;;) {
      const member = members[Math.floor(random() * members.length)] as Member;
      const isReady = member.isListening;
      // Whoever says it again is another client, but nobody is known: they are one.
      const outcome = await member.call({ text }, callId);
      if (this.#settled(callId === undefined ? "socket" : "socket, reliable", text, undefined, outcome)) return;
      if (callId === undefined && isReady) return;
      await sleep(200 * random());
    }
  }

  async #library(): Promise<void> {
    const { random, library } = this.#parts;
    const text = this.#text();
    const member = library[Math.floor(random() * library.length)] as LibraryMember;
    const call = member.client.object("Room", "main").say({ text }, { reliable: true });
    const outcome = await call.then(
      (response): CallOutcome => ({ response }),
      (error: { code: string; retryable: boolean }): CallOutcome => ({ error }),
    );
    this.#settled("library", text, undefined, outcome);
  }

  /** @returns whether that is the end of it */
  #settled(way: string, text: string, to: string | undefined, outcome: CallOutcome | undefined): boolean {
    const { record } = this.#parts;
    if (outcome?.response !== undefined) {
      const { number } = outcome.response;
      this.counts[way] = (this.counts[way] ?? 0) + 1;
      record.said(number, text);
      if (to !== undefined) record.whispered(to, number, text);
      return true;
    }
    if (outcome?.error === undefined) return false;
    const { code, retryable } = outcome.error;
    const told = `${way} ${code}`;
    this.counts[told] = (this.counts[told] ?? 0) + 1;
    if (!isErrorCode(code) || code === "INTERNAL") record.break(`"${text}" came to ${code}`);
    return !retryable;
  }
}
