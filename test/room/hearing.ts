import type { Record } from "./record.ts";

interface Said {
  readonly number: number;
  readonly text?: string;
  readonly whisper?: string;
}

/** What one client hears of the room: each message once, in order, and none left out unless it is told of a gap. */
export class Hearing {
  readonly #name: string;
  readonly #record: Record;
  /** The number of the last message of the room. */
  last = 0;
  /** It was told of a gap: the next message may be any later one. */
  #gap = false;
  /** It was told of a gap at some time: whispers may be missing. */
  #hadGap = false;
  readonly #whispers = new Map<number, string>();

  constructor(name: string, record: Record) {
    this.#name = name;
    this.#record = record;
  }

  take(data: unknown): void {
    const { number, text, whisper } = data as Said;
    if (text !== undefined) this.#message(number, text);
    else if (whisper !== undefined) this.#whisper(number, whisper);
    else this.#record.break(`${this.#name} heard ${JSON.stringify(data).slice(0, 200)}`);
  }

  /** @param why it was told so */
  gap(why = "a gap"): void {
    this.#gap = true;
    this.#hadGap = true;
    this.#record.gaps++;
    if (!this.#record.gapsAreFine)
      this.#record.break(`${this.#name} was told of ${why} after ${this.last} for no reason`);
  }

  /** After all: what is missing. @param client undefined for one that was nobody to whisper to */
  check(said: number, client: string | undefined): void {
    if (this.last !== said && !this.#gap)
      this.#record.break(`${this.#name} heard up to ${this.last} of ${said} messages`);
    if (client === undefined || this.#hadGap) return;
    for (const [number, text] of this.#record.whispersTo(client)) {
      if (this.#whispers.get(number) !== text)
        this.#record.break(`${this.#name} missed the whisper ${number}, "${text}"`);
    }
  }

  #message(number: number, text: string): void {
    if (number <= this.last) this.#record.break(`${this.#name} heard ${number} after ${this.last}`);
    else if (number !== this.last + 1 && !this.#gap)
      this.#record.break(`${this.#name} missed ${this.last + 1} to ${number - 1}`);
    this.#gap = false;
    this.last = number;
    this.#record.taken++;
    this.#record.said(number, text);
  }

  #whisper(number: number, text: string): void {
    if (this.#whispers.has(number)) this.#record.break(`${this.#name} heard the whisper ${number} twice`);
    if (number !== this.last && !this.#gap)
      this.#record.break(`${this.#name} heard the whisper ${number} after ${this.last}`);
    this.#whispers.set(number, text);
    this.#record.said(number, text);
    this.#record.taken++;
  }
}
