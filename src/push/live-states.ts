import { EdgeverseError, type WireError } from "../errors/edgeverse-error.ts";
import { objectKey } from "../object/message.ts";
import type { Registry } from "../object/registry.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import { retryDelay } from "../reliable/call-state.ts";
import type { LiveAnswer, LiveChange, LiveReceipt, LiveState } from "../router/live-views.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { CallTaker } from "./client-calls.ts";
import type { Connection } from "./connection.ts";
import { checkFrame } from "./frames.ts";
import { checkRoomToWatch, LIVE_BOUNDS } from "./live-bounds.ts";
import { watchEndFrame } from "./live-frames.ts";
import { LiveObject } from "./live-object.ts";
import { LiveWindow } from "./live-window.ts";
import { checkMayWatch } from "./may-watch.ts";
import type { Outgoing } from "./outgoing.ts";
import type { LiveSource } from "./ports.ts";
import { type LiveCopy, type LivePatch, Watch } from "./watch.ts";
import { WatchTable } from "./watch-table.ts";

interface Parts {
  /** This gate's name. */
  readonly gate: string;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly outgoing: Outgoing;
  readonly source: LiveSource;
  readonly calls: Pick<CallTaker, "charge">;
  /** Rules of access change with them. */
  readonly settings?: Pick<LiveSettings, "onChange">;
}

/** What a client watches, by its numbers, and what is on its way to it. */
interface Client {
  readonly window: LiveWindow;
  readonly watches: Map<number, { readonly watch: Watch; readonly object: LiveObject }>;
}

export interface WatchFrame {
  readonly id: number;
  readonly type: string;
  readonly object: string;
  readonly version?: number | undefined;
}

const MOVES = new EdgeverseError("UNAVAILABLE", "It moves").toWire();

/**
 * What clients of a gate watch ([PUSH11]). Owners tell the gate the newest state of an object, once for all of its clients. It
 * sends each client how that differs from what the client has, if the client has the state before, else all of it.
 *
 * | what happens                      | then                                                                          |
 * |-----------------------------------|-------------------------------------------------------------------------------|
 * | a client watches                  | it is sent the state; one that has seen a later one, when the owner was asked  |
 * | an owner tells of a change        | each client that acknowledges is sent it, what is older than known is left out  |
 * | a client does not acknowledge     | it is sent nothing after its window, then the newest state                      |
 * | the object moves, its owner ends  | the owner is asked again                                                        |
 * | the owner can't be reached        | it is asked again later                                                         |
 * | roles change, rules, two minutes  | who may not watch any more is told; after two minutes watches are renewed, too   |
 * | the gate sleeps                   | the watches are stored; at a change, which may be late, the owner is asked anew  |
 * | a connection ends                 | its watches end                                                                 |
 */
export class LiveStates {
  readonly #parts: Parts;
  readonly #table: WatchTable;
  readonly #objects = new Map<string, LiveObject>();
  readonly #clients = new Map<Connection, Client>();
  #characters = 0;
  #scheduled = false;
  #lookedAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#table = new WatchTable(parts.storage);
    parts.settings?.onChange(() => this.recheck());
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Goes on with the watches of connections that have outlasted the gate's memory. What their clients have is not known. */
  restore(connections: Iterable<Connection>): void {
    const present = new Map(Array.from(connections, (connection) => [connection.session.client, connection]));
    for (const { client, id, type, object } of this.#table.restore([...present.keys()]))
      this.#add(new Watch(present.get(client) as Connection, id), type, object).slept = true;
  }

  /** Begins to watch. What is refused ends by its own frame. @throws EdgeverseError `INVALID_ARGUMENT` for a number in use */
  watch(connection: Connection, { id, type, object: objectId, version }: WatchFrame): void {
    const watches = this.#clients.get(connection)?.watches;
    if (watches?.has(id) === true) throw new EdgeverseError("INVALID_ARGUMENT", `The number ${id} is in use`);
    const { session } = connection;
    try {
      checkMayWatch(this.#parts.registry, session.identity, type, objectId);
      this.#parts.calls.charge?.({ identity: session.identity, origin: connection.wire.origin }, type);
      checkRoomToWatch(watches?.size ?? 0, this.#objects, objectKey(type, objectId));
    } catch (error) {
      this.#parts.outgoing.send(connection.wire, watchEndFrame(id, EdgeverseError.from(error).toWire()));
      return;
    }
    this.#table.add({ client: session.client, id, type, object: objectId });
    const watch = new Watch(connection, id, version);
    const object = this.#add(watch, type, objectId);
    if (object.copy === undefined || (version !== undefined && object.copy.version < version))
      this.#ask(object, "state");
    else this.#send(watch, object.copy);
  }

  /** The client has read what it was sent before it was asked for this number. */
  read(connection: Connection, n: number): void {
    const client = this.#clients.get(connection);
    if (client === undefined || !LiveWindow.isHere(n)) return;
    const known = client.window.read(n); // If not, it was sent before the gate slept: all of it comes once more.
    for (const { watch, object } of client.watches.values()) {
      if (!watch.behind && known) continue;
      if (object.copy === undefined) this.#ask(object, "state");
      else this.#send(watch, object.copy);
    }
  }

  /** Whether the client has read nothing since this was asked before, though it should have. */
  isStalled(connection: Connection): boolean {
    return this.#clients.get(connection)?.window.isStalled() === true;
  }

  /** Ends a watch; false when there is none of that number. */
  cancel(connection: Connection, id: number): boolean {
    const found = this.#clients.get(connection)?.watches.get(id);
    if (found === undefined) return false;
    this.#table.remove(connection.session.client, id);
    this.#remove(found.watch, found.object);
    return true;
  }

  closed(connection: Connection): void {
    const client = this.#clients.get(connection);
    if (client === undefined) return;
    for (const { watch, object } of [...client.watches.values()]) this.#remove(watch, object);
    this.#clients.delete(connection);
    try {
      this.#table.removeAll(connection.session.client);
    } catch {
      // The storage fails. The session is to wait for its client all the same; what is left here the next watch replaces.
    }
  }

  /** A partition tells of changes; null: it knows no more what is watched there. */
  changed(from: string, changes: readonly LiveChange[] | null): LiveReceipt {
    if (changes === null) {
      for (const object of this.#objects.values())
        if (this.#parts.source.owner(object) === from) this.#ask(object, "renewal");
      return { unwanted: [] };
    }
    const unwanted: number[] = [];
    for (const [index, change] of changes.entries()) {
      const object = this.#objects.get(objectKey(change.type, change.id));
      if (object === undefined) unwanted.push(index);
      else if (change.kind === "moved") this.#ask(object, "renewal");
      else if (object.slept) this.#ask(object, "state");
      else if (change.kind === "refused") this.#failed(object, change.error);
      else this.#take(object, change);
    }
    return { unwanted };
  }

  /** Renews what is watched, and ends what may not be any more. */
  look(): void {
    const now = this.#parts.clock.now();
    if (now < this.#lookedAt + LIVE_BOUNDS.look) return;
    this.#lookedAt = now;
    this.recheck();
    for (const object of this.#objects.values()) this.#ask(object, "renewal");
  }

  /** Ends what clients, as they are now, may not watch any more. */
  recheck(connections: Iterable<Connection> = [...this.#clients.keys()]): void {
    for (const connection of connections)
      for (const { watch, object } of [...(this.#clients.get(connection)?.watches.values() ?? [])]) {
        try {
          checkMayWatch(this.#parts.registry, connection.session.identity, object.type, object.id);
        } catch (error) {
          this.#end(watch, object, EdgeverseError.from(error).toWire());
        }
      }
  }

  #add(watch: Watch, type: string, id: string): LiveObject {
    const key = objectKey(type, id);
    const object = this.#objects.get(key) ?? new LiveObject(type, id);
    this.#objects.set(key, object);
    object.watches.add(watch);
    const client = this.#clients.get(watch.connection) ?? {
      window: new LiveWindow(this.#parts.clock.now()),
      watches: new Map(),
    };
    client.watches.set(watch.id, { watch, object });
    this.#clients.set(watch.connection, client);
    return object;
  }

  #remove(watch: Watch, object: LiveObject): void {
    const watches = this.#clients.get(watch.connection)?.watches;
    watches?.delete(watch.id);
    object.watches.delete(watch);
    if (object.watches.size > 0) return;
    this.#objects.delete(objectKey(object.type, object.id));
    this.#characters -= object.size;
  }

  #end(watch: Watch, object: LiveObject, error: WireError): void {
    this.#table.remove(watch.connection.session.client, watch.id);
    this.#remove(watch, object);
    this.#parts.outgoing.send(watch.connection.wire, watchEndFrame(watch.id, error));
  }

  #send(watch: Watch, copy: LiveCopy, patch?: LivePatch): void {
    const { outgoing } = this.#parts;
    const { connection } = watch;
    const window = this.#clients.get(connection)?.window;
    const frame = watch.frame(copy, window?.hasRoom === true, patch);
    if (frame === undefined) return;
    outgoing.send(connection.wire, frame);
    const question = window?.sent(frame.length);
    if (question !== undefined) outgoing.send(connection.wire, checkFrame(question));
  }

  #take(object: LiveObject, state: LiveState): void {
    const before = object.size;
    const taken = object.take(state);
    if (taken === undefined) return;
    const { copy, patch } = taken;
    for (const watch of object.watches) this.#send(watch, copy, patch);
    // Beyond the bound nothing is kept: clients are sent whole states, and a slow one's is asked for.
    if (this.#characters - before + object.size > LIVE_BOUNDS.characters) object.copy = undefined;
    this.#characters += object.size - before;
  }

  #ask(object: LiveObject, want: "state" | "renewal"): void {
    if (object.want !== "state") object.want = want;
    if (object.asking || this.#scheduled) return;
    this.#scheduled = true;
    // What else is asked in this turn of the event loop goes along.
    this.#parts.clock.soon(() => {
      this.#scheduled = false;
      const wanted = [...this.#objects.values()].filter((one) => one.want !== undefined && !one.asking);
      for (let at = 0; at < wanted.length; at += LIVE_BOUNDS.ask)
        void this.#question(wanted.slice(at, at + LIVE_BOUNDS.ask));
    });
  }

  async #question(objects: readonly LiveObject[]): Promise<void> {
    const wants = objects.map((object) => {
      const { type, id, want } = object;
      object.want = undefined;
      object.asking = true;
      return want === "renewal" ? { type, id, renew: true, known: object.known } : { type, id };
    });
    // What is asked for now is no older than what any of them has seen.
    const asked = objects.map(({ watches }) => [...watches]);
    const answers = await this.#parts.source.watch(this.#parts.gate, wants);
    for (const [index, object] of objects.entries()) {
      object.asking = false;
      const answer = answers[index] as LiveAnswer;
      if (answer.kind === "state" || answer.kind === "gone")
        for (const watch of asked[index] as Watch[]) watch.minimum = undefined;
      this.#answered(object, answer);
      if (object.want !== undefined) this.#ask(object, object.want);
    }
  }

  #answered(object: LiveObject, answer: LiveAnswer): void {
    if (object.watches.size === 0) return;
    if (answer.kind === "refused" || answer.kind === "moved") {
      this.#failed(object, answer.kind === "refused" ? answer.error : MOVES);
      return;
    }
    object.failures = 0;
    if (answer.kind === "same") return;
    this.#take(object, answer);
    // What came meanwhile may have been newer: then that is for those who have asked.
    if (object.copy !== undefined) for (const watch of object.watches) this.#send(watch, object.copy);
  }

  #failed(object: LiveObject, error: WireError): void {
    if (!error.retryable) {
      for (const watch of [...object.watches]) this.#end(watch, object, error);
      return;
    }
    object.failures++;
    // One timer: it is asked meanwhile, too, whenever it is to be renewed.
    if (object.retrying) return;
    object.retrying = true;
    this.#parts.clock.after(retryDelay(object.failures), () => {
      object.retrying = false;
      if (object.watches.size > 0) this.#ask(object, "state");
    });
  }
}
