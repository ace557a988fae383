/** What was said in the room, and which promises were broken. */
export class Record {
  readonly broken: string[] = [];
  /** Messages that members took: each once for each of them. */
  taken = 0;
  /** Messages that came again because they were not acknowledged; members know them by their numbers. */
  again = 0;
  gaps = 0;
  /** What connections ended with, by code. */
  readonly ends: { [code: string]: number } = {};
  /** While it is false the gates keep everything: who is told of a gap was told so for no reason. */
  gapsAreFine = false;
  readonly #texts = new Map<number, string>();
  readonly #numbers = new Map<string, number>();
  readonly #whispers = new Map<string, Map<number, string>>();
  #unsaid = new Set<string>();

  break(what: string): void {
    // The first ones say what there is to say.
    if (this.broken.length < 50) this.broken.push(what);
  }

  end(code: number | string): void {
    this.ends[code] = (this.ends[code] ?? 0) + 1;
  }

  /** A text that is never to be heard: its turn will fail. */
  takenBack(text: string): void {
    this.#unsaid.add(text);
  }

  /** Somebody was answered that it said this; or somebody heard it. */
  said(number: number, text: string): void {
    const known = this.#texts.get(number);
    if (known === undefined) this.#first(number, text);
    else if (known !== text) this.break(`message ${number} is "${known}" for one, and "${text}" for another`);
  }

  #first(number: number, text: string): void {
    this.#texts.set(number, text);
    const other = this.#numbers.get(text);
    if (other !== undefined) this.break(`"${text}" was said twice: it is ${other} and ${number}`);
    this.#numbers.set(text, number);
    if (this.#unsaid.has(text)) this.break(`"${text}" was heard, though its turn had failed`);
  }

  whispered(client: string, number: number, text: string): void {
    const all = this.#whispers.get(client) ?? new Map<number, string>();
    this.#whispers.set(client, all.set(number, text));
  }

  /** What was whispered to a client, by number. */
  whispersTo(client: string): ReadonlyMap<number, string> {
    return this.#whispers.get(client) ?? new Map();
  }

  get highest(): number {
    return this.#texts.size === 0 ? 0 : Math.max(...this.#texts.keys());
  }
}
