import type { Member, PresenceFrame } from "./frames.ts";

/** Who takes part in a topic. */
export interface Presence {
  readonly topic: string;
  /** How many do. */
  readonly count: number;
  /** Who they are, this client among them; of more than 500 those who are there for longest. */
  readonly here: readonly Member[];
  /** Who of them was not there when this was told last. */
  readonly joined: readonly Member[];
  /** Who was there then, and is not any more. */
  readonly left: readonly Member[];
}

/** Who is there, topic by topic, as far as the gate has told. */
export class PresenceLists {
  readonly #topics = new Map<string, ReadonlyMap<string, Member>>();

  take({ topic, count, here, joined, left }: PresenceFrame): Presence {
    const before = this.#topics.get(topic);
    const now = new Map(here ? [] : before);
    for (const { client } of left ?? []) now.delete(client);
    for (const member of [...(here ?? []), ...(joined ?? [])]) now.set(member.client, member);
    this.#topics.set(topic, now);
    return {
      topic,
      count,
      here: [...now.values()],
      joined: before ? others(now, before) : [],
      left: others(before, now),
    };
  }

  forget(topic: string): void {
    this.#topics.delete(topic);
  }
}

function others(some: ReadonlyMap<string, Member> = new Map(), than: ReadonlyMap<string, Member>): Member[] {
  return [...some.values()].filter(({ client }) => !than.has(client));
}
