import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { fnv1a32 } from "../identity/fnv1a.ts";
import { rendezvousOwner } from "../placement/rendezvous.ts";
import { readMeta, writeMeta } from "../platform/meta.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import type { Connection } from "./connection.ts";
import type { Outgoing } from "./outgoing.ts";
import {
  listOf,
  type MemberList,
  PRESENCE,
  type PresenceMessage,
  type PresenceNote,
  type PresencePeers,
  type PresenceReceipt,
} from "./presence-note.ts";
import { PresencePost } from "./presence-post.ts";
import { PresenceReports } from "./presence-reports.ts";
import { PresenceTable } from "./presence-table.ts";
import { PresenceViews } from "./presence-views.ts";

interface Parts {
  /** This gate's name. */
  readonly gate: string;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly outgoing: Outgoing;
  readonly gates: PresencePeers;
  readonly wakeBy: (time: number | undefined) => void;
  readonly warn: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

/** Ms between two looks at other gates, at least. */
const LOOK = 60_000;

/**
 * Who takes part in a topic ([PUSH13]): clients that have asked to see who is there, and are seen. One gate *keeps* a topic, by
 * its name. The others report to it who is there at theirs, and are told who is there in all; each tells its own clients what
 * has changed since.
 *
 * | what happens                            | then                                                                        |
 * |-----------------------------------------|-----------------------------------------------------------------------------|
 * | a client asks                           | its gate reports it, and the view that comes of it is sent whole to the client |
 * | it stops, leaves, may not any more      | its gate reports that                                                       |
 * | its connection ends, or its gate does   | it is there for ten seconds more: within them it may come back and ask again  |
 * | the gate sleeps                         | nothing; clients are sent the next view whole                               |
 * | a gate ends before it has told something | its next process tells it: what is not told is marked durably                |
 * | a gate can't be reached                 | it is told later what is newest then                                        |
 * | a gate says nothing for five minutes    | the gates that keep topics drop what it reported, until it reports again     |
 * | there are more gates, or fewer          | everything is reported anew; gates that differ in it don't listen to each other |
 */
export class Presence {
  readonly #parts: Parts;
  readonly #table: PresenceTable;
  readonly #reports: PresenceReports;
  readonly #views: PresenceViews;
  readonly #post: PresencePost;
  #version = 0;
  #lookedAt = 0;
  #greetedAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#table = new PresenceTable(parts.storage);
    this.#reports = new PresenceReports(parts.storage);
    this.#views = new PresenceViews(parts);
    this.#post = new PresencePost({
      ...parts,
      peers: parts.gates,
      audience: (topic) => this.#audience(topic),
      note: (topic) => this.#note(topic),
      count: (topic) => this.#table.count(topic) + this.#reports.count(topic),
      took: (note) => this.#views.took(note),
      answered: (...answer) => this.#answered(...answer),
    });
  }

  /** Goes on with connections that have outlasted the gate's memory. The others' clients may come back. */
  restore(connections: Iterable<Connection>): void {
    const { clock, storage, gates } = this.#parts;
    const connected = new Map(Array.from(connections, (connection) => [connection.session.client, connection]));
    this.#table.othersAway([...connected.keys()], clock.now() + PRESENCE.grace);
    for (const { topic, client } of this.#table.connected)
      this.#views.watch(connected.get(client) as Connection, topic);
    this.#post.restore();
    const names = String(gates.names.length);
    const before = readMeta(storage, "presence");
    if (before === names) return;
    writeMeta(storage, "presence", names);
    if (before === undefined) return;
    this.#reports.clear();
    for (const topic of this.#table.topics) this.#post.owe(topic);
  }

  has({ session: { client } }: Connection, topic: string): boolean {
    return this.#table.has({ topic, client });
  }

  /** @throws EdgeverseError `PAYLOAD_TOO_LARGE` for one topic too many */
  checkRoom(connection: Connection, topic: string): void {
    const topics = this.#table.topicsOf(connection.session.client);
    if (topics.length < PRESENCE.topics || topics.includes(topic)) return;
    throw new EdgeverseError("PAYLOAD_TOO_LARGE", `A client may take part in ${PRESENCE.topics} topics`);
  }

  /** A client takes part, and is sent who is there. */
  enter(connection: Connection, topic: string): void {
    const { client, identity } = connection.session;
    this.#change(topic);
    this.#table.enter(topic, { client, id: identity?.id ?? null, at: this.#parts.clock.now() });
    this.#views.watch(connection, topic);
  }

  leave(connection: Connection, topic: string): void {
    this.#views.unwatch(connection, topic);
    this.#remove(topic, connection.session.client);
  }

  /** A connection has ended; its client may come back. */
  closed(connection: Connection): void {
    if (!this.#views.forget(connection)) return;
    const ends = this.#parts.clock.now() + PRESENCE.grace;
    this.#table.away(connection.session.client, ends);
    this.#parts.wakeBy(ends);
  }

  /** A client's session has ended. */
  ended(client: string): void {
    for (const topic of this.#table.topicsOf(client)) this.#remove(topic, client);
  }

  read(connection: Connection, n: number): void {
    for (const topic of this.#views.read(connection, n)) this.#change(topic);
  }

  isStalled(connection: Connection): boolean {
    return this.#views.isStalled(connection);
  }

  /** When there is something to do. */
  get due(): number | undefined {
    const times = [this.#table.nextEnd, this.#post.nextTry].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Those who have been away for too long go. Other gates hear that this one lives, now and then. */
  wake(): void {
    const now = this.#parts.clock.now();
    for (const { topic, client } of this.#table.over(now)) this.#remove(topic, client);
    this.#post.flush();
    this.#look(now);
    if (now < this.#greetedAt + LOOK) return;
    this.#greetedAt = now;
    for (const keeper of new Set(this.#table.topics.map((topic) => this.#keeper(topic))))
      if (keeper !== this.#parts.gate) this.#post.greet(keeper);
  }

  /** Another gate tells of topics. @throws EdgeverseError `UNAVAILABLE` while it knows of other gates */
  async received({ from, gates, notes }: PresenceMessage): Promise<PresenceReceipt> {
    const { storage, clock, gates: peers } = this.#parts;
    if (gates !== peers.names.length)
      throw new EdgeverseError("UNAVAILABLE", `Here are ${peers.names.length} gates, and there ${gates}`);
    const now = clock.now();
    let newest = 0;
    const isReporting = notes.length === 0 || notes.some(({ kind }) => kind === "report");
    const forgotten = isReporting && !this.#reports.heard(from, now);
    for (const note of notes) {
      const known = note.kind === "report" ? this.#reported(from, note, now) : this.#views.took(note);
      newest = Math.max(newest, known ?? 0);
    }
    this.#look(now);
    await storage.barrier();
    return { newest, forgotten };
  }

  /** @returns the version that is known, where that is no older */
  #reported(from: string, note: PresenceNote, now: number): number | undefined {
    // Whoever reports is to hear of it, also when that is nothing new to others: it may have a client that has just asked.
    this.#post.owe(note.topic, [from]);
    const kept = this.#reports.keep(from, note, now);
    if (typeof kept === "number") return kept;
    if (kept) this.#post.owe(note.topic);
    return undefined;
  }

  #answered(peer: string, notes: readonly PresenceNote[], { newest, forgotten }: PresenceReceipt): void {
    this.#version = Math.max(this.#version, newest);
    for (const { topic, version } of notes) if (version <= newest) this.#post.owe(topic, [peer]);
    if (!forgotten) return;
    for (const topic of this.#table.topics) if (this.#keeper(topic) === peer) this.#post.owe(topic, [peer]);
  }

  /** Drops what gates have reported that are dead. */
  #look(now: number): void {
    if (now < this.#lookedAt + LOOK) return;
    this.#lookedAt = now;
    for (const gate of this.#reports.silent(now)) {
      for (const topic of this.#reports.topicsOf(gate)) this.#change(topic);
      this.#reports.drop(gate);
      this.#post.drop(gate);
    }
    this.#reports.sweep(now);
  }

  #remove(topic: string, client: string): void {
    if (!this.#table.has({ topic, client })) return;
    this.#change(topic);
    this.#table.remove({ topic, client });
  }

  /** To be said before it does. */
  #change(topic: string): void {
    this.#post.owe(topic);
  }

  /** The gate that keeps a topic. */
  #keeper(topic: string): string {
    const members = this.#parts.gates.names.map((name) => ({ name, weight: 1 }));
    return rendezvousOwner(fnv1a32(topic), members);
  }

  #audience(topic: string): string[] {
    const keeper = this.#keeper(topic);
    const { gate } = this.#parts;
    return keeper === gate ? [gate, ...this.#reports.gates(topic)] : [keeper];
  }

  #note(topic: string): PresenceNote {
    const { gate, clock } = this.#parts;
    const kind = this.#keeper(topic) === gate ? "view" : "report";
    this.#version = Math.max(clock.now(), this.#version + 1);
    return { kind, topic, version: this.#version, ...(kind === "view" ? this.#all(topic) : this.#table.list(topic)) };
  }

  #all(topic: string): MemberList {
    const lists = [this.#table.list(topic), ...this.#reports.of(topic)];
    const count = lists.reduce((sum, list) => sum + list.count, 0);
    return listOf(
      count,
      lists.flatMap(({ members }) => members),
    );
  }
}
