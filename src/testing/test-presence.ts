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
  readonly #seen = new Map<string, { count: number; here: Map<string, string | null> }>();

  ask(topic: string, takesPart: boolean): void {
    if (takesPart) this.topics.add(topic);
    else this.topics.delete(topic);
    this.#seen.delete(topic);
  }

  of(topic: string): SeenPresence | undefined {
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
    if (members === undefined) throw new Error(`a change of ${topic} came before who is there`);
    for (const { client } of left)
      if (!members.delete(client)) throw new Error(`${client} left ${topic}, and was not there`);
    for (const { client, id } of [...(here ?? []), ...joined]) {
      if (members.has(client)) throw new Error(`${client} joined ${topic} twice`);
      members.set(client, id);
    }
    if (members.size > count) throw new Error(`of ${count} on ${topic} ${members.size} are known`);
    this.#seen.set(topic, { count, here: members });
  }
}
