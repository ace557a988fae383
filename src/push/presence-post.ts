import type { Clock, SqlStorage } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { PresenceMessage, PresenceNote, PresencePeers, PresenceReceipt } from "./presence-note.ts";

interface Parts {
  /** This gate's name. */
  readonly gate: string;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly peers: PresencePeers;
  readonly wakeBy: (time: number) => void;
  /** Which gates are to hear of the topic's present state; this one may be among them. */
  readonly audience: (topic: string) => readonly string[];
  /** That state, in the words for others. */
  readonly note: (topic: string) => PresenceNote;
  /** How many take part, as far as this gate knows. */
  readonly count: (topic: string) => number;
  /** This gate is to hear of it. */
  readonly took: (note: PresenceNote) => void;
  readonly answered: (peer: string, notes: readonly PresenceNote[], receipt: PresenceReceipt) => void;
  readonly warn: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

/** Notes and characters of a message, about; ms that it may take; ms between two attempts, at the start and at most. */
const MOST = { notes: 200, characters: 512 * 1024, wait: 10_000, retry: 1_000, pause: 10_000 } as const;
/** Ms for which changes of a topic are collected, and at most. */
const COLLECT = { least: 100, most: 2_000 } as const;

interface Due {
  readonly at: number;
  /** Who is to hear of it. */
  peers: Set<string> | "all";
}

/**
 * Tells gates of topics: each what is newest when its turn comes, one message at a time to a gate, until it has it. What is
 * not told yet is marked durably: so whatever process follows this one tells it.
 */
export class PresencePost {
  readonly #parts: Parts;
  /** Topics that have changed, until the changes of a moment are together. */
  readonly #due = new Map<string, Due>();
  /** Topics that each gate is to hear of. */
  readonly #owed = new Map<string, Set<string>>();
  /** What is on its way to each. */
  readonly #flying = new Map<string, readonly string[]>();
  readonly #greet = new Set<string>();
  readonly #failed = new Map<string, { readonly times: number; readonly again: number }>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Goes on with what other processes have not told. */
  restore(): void {
    for (const { topic } of this.#parts.storage.query<{ topic: string }>("SELECT topic FROM presence_due"))
      this.owe(topic);
  }

  /** The topic changes, or is asked for. To be said before it does: what ends between must not forget it. */
  owe(topic: string, peers: readonly string[] | "all" = "all"): void {
    const { clock, count, wakeBy } = this.#parts;
    const known = this.#due.get(topic);
    if (known !== undefined) {
      if (peers === "all") known.peers = "all";
      else if (known.peers !== "all") for (const peer of peers) known.peers.add(peer);
      return;
    }
    this.#mark(topic);
    const delay = Math.min(COLLECT.most, COLLECT.least + count(topic));
    this.#due.set(topic, { at: clock.now() + delay, peers: peers === "all" ? peers : new Set(peers) });
    clock.after(delay, () => this.flush());
    wakeBy(clock.now() + delay + MOST.retry);
  }

  /** Says to a gate, if nothing else, that this one lives. */
  greet(peer: string): void {
    this.#greet.add(peer);
    this.#begin(peer);
  }

  /** A gate is taken for dead. */
  drop(peer: string): void {
    const topics = this.#owed.get(peer);
    this.#owed.delete(peer);
    this.#failed.delete(peer);
    for (const topic of topics ?? []) this.#settle(topic);
  }

  /** When a gate is to be tried again that could not be reached. */
  get nextTry(): number | undefined {
    const times = Array.from(this.#failed).flatMap(([peer, { again }]) => (this.#owed.has(peer) ? [again] : []));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Tells what is ready. */
  flush(): void {
    const { clock, audience } = this.#parts;
    const now = clock.now();
    for (const [topic, { at, peers }] of this.#due) {
      if (at > now) continue;
      this.#due.delete(topic);
      for (const peer of peers === "all" ? audience(topic) : peers) this.#owes(peer).add(topic);
      this.#settle(topic);
    }
    for (const peer of [...this.#owed.keys(), ...this.#greet]) this.#begin(peer);
  }

  #begin(peer: string): void {
    const { gate, warn } = this.#parts;
    this.#send(peer).catch((error: unknown) => warn("presence could not be told", { gate, peer, error }));
  }

  async #send(peer: string): Promise<void> {
    while (!this.#flying.has(peer) && (this.#failed.get(peer)?.again ?? 0) <= this.#parts.clock.now()) {
      const topics = this.#owed.get(peer);
      if (topics === undefined && !this.#greet.has(peer)) return;
      this.#greet.delete(peer);
      const notes = this.#take(topics ?? new Set());
      if (topics?.size === 0) this.#owed.delete(peer);
      if (peer === this.#parts.gate) for (const note of notes) this.#parts.took(note);
      else await this.#deliver(peer, notes);
      for (const { topic } of notes) this.#settle(topic);
    }
  }

  async #deliver(peer: string, notes: readonly PresenceNote[]): Promise<void> {
    const { gate, storage, clock, peers, answered } = this.#parts;
    this.#flying.set(
      peer,
      notes.map(({ topic }) => topic),
    );
    const message: PresenceMessage = { from: gate, gates: peers.names.length, notes };
    try {
      await storage.barrier();
      const asked = (async () => peers.presence(peer, message))();
      const receipt = await within(clock, MOST.wait, asked, () => new Error("silent"));
      this.#failed.delete(peer);
      answered(peer, notes, receipt);
    } catch {
      for (const { topic } of notes) this.#owes(peer).add(topic);
      this.#retry(peer);
    } finally {
      this.#flying.delete(peer);
    }
  }

  #take(topics: Set<string>): PresenceNote[] {
    const notes: PresenceNote[] = [];
    let characters = 0;
    for (const topic of topics) {
      if (notes.length === MOST.notes || characters > MOST.characters) break;
      topics.delete(topic);
      const note = this.#parts.note(topic);
      for (const { id } of note.members) characters += 80 + (id?.length ?? 0);
      notes.push(note);
    }
    return notes;
  }

  #retry(peer: string): void {
    const { clock, wakeBy } = this.#parts;
    const times = (this.#failed.get(peer)?.times ?? 0) + 1;
    const again = clock.now() + Math.min(MOST.pause, MOST.retry * 2 ** (times - 1));
    this.#failed.set(peer, { times, again });
    wakeBy(again);
  }

  #owes(peer: string): Set<string> {
    const known = this.#owed.get(peer);
    if (known !== undefined) return known;
    const made = new Set<string>();
    this.#owed.set(peer, made);
    return made;
  }

  #mark(topic: string): void {
    this.#parts.storage.query("INSERT INTO presence_due VALUES (?) ON CONFLICT DO NOTHING", topic);
  }

  /** Takes the mark away once everybody has heard. */
  #settle(topic: string): void {
    if (this.#due.has(topic)) return;
    for (const topics of this.#owed.values()) if (topics.has(topic)) return;
    for (const topics of this.#flying.values()) if (topics.includes(topic)) return;
    this.#parts.storage.query("DELETE FROM presence_due WHERE topic = ?", topic);
  }
}
