/** Who takes part in a topic, as a client was told. */
export interface SeenPresence {
  /** How many do. */
  readonly count: number;
  /** Those that it knows, by their client ids, with the ids of their identities. */
  readonly here: ReadonlyMap<string, string | null>;
}

interface Member {
  readonly client: string;
  readonly id: string | null;
}

/** What one client knows of who takes part. */
export class TestPresence {
  /** Topics in which it takes part itself. */
  readonly topics = new Set<string>();
  #fault: string | undefined;
  readonly #seen = new Map<string, { count: number; here: Map<string, string | null> }>();

  ask(topic: string, takesPart: boolean): void {
    if (takesPart) this.topics.add(topic);
    else this.topics.delete(topic);
    this.#seen.delete(topic);
  }

  /** A new connection begins with who is there. */
  opened(): void {
    this.#seen.clear();
  }

  /** @throws Error when it was told what can't be */
  of(topic: string): SeenPresence | undefined {
    if (this.#fault !== undefined) throw new Error(this.#fault);
    return this.#seen.get(topic);
  }

  take(frame: Readonly<Record<string, unknown>>): void {
    const {
      topic,
      count,
      here,
      joined = [],
      left = [],
    } = frame as unknown as {
      readonly topic: string;
      readonly count: number;
      readonly here?: readonly Member[];
      readonly joined?: readonly Member[];
      readonly left?: readonly Member[];
    };
    if (!this.topics.has(topic)) return;
    const members = here === undefined ? this.#seen.get(topic)?.here : new Map();
    if (members === undefined) {
      this.#fault ??= `a change of ${topic} came before who is there`;
      return;
    }
    for (const { client } of left)
      if (!members.delete(client)) this.#fault ??= `${client} left ${topic}, and was not there`;
    for (const { client, id } of [...(here ?? []), ...joined]) {
      if (members.has(client)) this.#fault ??= `${client} joined ${topic} twice`;
      members.set(client, id);
    }
    if (members.size > count) this.#fault ??= `of ${count} on ${topic} ${members.size} are known`;
    this.#seen.set(topic, { count, here: members });
  }
}
