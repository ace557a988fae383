import type { Clock } from "../platform/ports.ts";
import type { Connection } from "./connection.ts";
import { checkFrame } from "./frames.ts";
import { LiveWindow } from "./live-window.ts";
import type { Outgoing } from "./outgoing.ts";
import { changeFrame, hereFrame } from "./presence-frames.ts";
import type { Member, MemberList, PresenceNote } from "./presence-note.ts";

/** A topic in which clients of this gate take part. */
interface Seen {
  /** Of the newest view that has come. */
  version: number;
  /** That view; undefined before the first, and where there is no memory for it. */
  list: MemberList | undefined;
  /** Whom it is for, and whether each has been sent the view. */
  readonly watchers: Map<Connection, boolean>;
}

interface Parts {
  readonly outgoing: Outgoing;
  readonly clock: Clock;
}

interface Client {
  readonly window: LiveWindow;
  readonly topics: Set<string>;
}

/** Members of views that a gate keeps, some 8 MiB. Beyond them a view is not kept: what comes next is sent whole. */
export const KEPT_MEMBERS = 50_000;

/** What connected clients know of who is there. It is in memory alone: what has slept sends them the whole once more. */
export class PresenceViews {
  readonly #outgoing: Outgoing;
  readonly #clock: Clock;
  readonly #topics = new Map<string, Seen>();
  readonly #clients = new Map<Connection, Client>();
  #kept = 0;

  constructor({ outgoing, clock }: Parts) {
    this.#outgoing = outgoing;
    this.#clock = clock;
  }

  /** The client is to be sent the next view, whole. */
  watch(connection: Connection, topic: string): void {
    const seen: Seen = this.#topics.get(topic) ?? { version: 0, list: undefined, watchers: new Map() };
    this.#topics.set(topic, seen);
    seen.watchers.set(connection, false);
    const client = this.#clients.get(connection) ?? {
      window: new LiveWindow(this.#clock.now(), "presence"),
      topics: new Set(),
    };
    this.#clients.set(connection, client);
    client.topics.add(topic);
  }

  unwatch(connection: Connection, topic: string): void {
    this.#clients.get(connection)?.topics.delete(topic);
    const seen = this.#topics.get(topic);
    if (seen === undefined) return;
    seen.watchers.delete(connection);
    if (seen.watchers.size > 0) return;
    this.#keep(seen, undefined);
    this.#topics.delete(topic);
  }

  /** @returns whether the connection took part in anything */
  forget(connection: Connection): boolean {
    const client = this.#clients.get(connection);
    for (const topic of client?.topics ?? []) this.unwatch(connection, topic);
    return this.#clients.delete(connection);
  }

  /** Tells clients what is new. @returns the version that is known, where that is no older */
  took(note: PresenceNote): number | undefined {
    const seen = this.#topics.get(note.topic);
    if (seen === undefined) return undefined;
    if (seen.version >= note.version) return seen.version;
    seen.version = note.version;
    const change = seen.list === undefined ? undefined : changeOf(note, seen.list);
    this.#keep(seen, note);
    const here = once(() => hereFrame(note.topic, note));
    for (const [connection, isCurrent] of seen.watchers)
      if (!isCurrent || change === undefined) this.#send(seen, connection, here);
      else if (change !== "") this.#send(seen, connection, () => change);
    return undefined;
  }

  /** The client has read what it was sent before it was asked for this number. @returns topics that it is to be sent, which are not known */
  read(connection: Connection, n: number): readonly string[] {
    const client = this.#clients.get(connection);
    if (client === undefined || !LiveWindow.isPresence(n)) return [];
    const isKnown = client.window.read(n);
    return [...client.topics].filter((topic) => {
      const seen = this.#topics.get(topic) as Seen;
      if (isKnown && seen.watchers.get(connection) === true) return false;
      const { list } = seen;
      if (list === undefined) seen.watchers.set(connection, false);
      else this.#send(seen, connection, () => hereFrame(topic, list));
      return list === undefined;
    });
  }

  /** Whether the client has read nothing since this was asked before, though it should have. */
  isStalled(connection: Connection): boolean {
    return this.#clients.get(connection)?.window.isStalled() === true;
  }

  #send(seen: Seen, connection: Connection, text: () => string): void {
    const window = this.#clients.get(connection)?.window;
    const hasRoom = window?.hasRoom === true;
    seen.watchers.set(connection, hasRoom);
    if (!hasRoom) return;
    const frame = text();
    this.#outgoing.send(connection.wire, frame);
    const question = window?.sent(frame.length);
    if (question !== undefined) this.#outgoing.send(connection.wire, checkFrame(question));
  }

  #keep(seen: Seen, list: MemberList | undefined): void {
    this.#kept -= seen.list?.members.length ?? 0;
    seen.list = this.#kept + (list?.members.length ?? 0) > KEPT_MEMBERS ? undefined : list;
    this.#kept += seen.list?.members.length ?? 0;
  }
}

/** What has changed, as a frame; "" for nothing, undefined where the whole is shorter. */
function changeOf({ topic, count, members }: PresenceNote, before: MemberList): string | undefined {
  const old = new Set(before.members.map(({ client }) => client));
  const now = new Set(members.map(({ client }) => client));
  const joined: Member[] = members.filter(({ client }) => !old.has(client));
  const left: Member[] = before.members.filter(({ client }) => !now.has(client));
  const changed = joined.length + left.length;
  if (changed === 0 && count === before.count) return "";
  return changed > Math.max(4, members.length) ? undefined : changeFrame(topic, count, joined, left);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
