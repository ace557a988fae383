import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Placement } from "../../identity/object-id.ts";
import { objectKey } from "../../object/message.ts";
import type { Registry } from "../../object/registry.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { Gates } from "../../push/ports.ts";
import { retryDelay } from "../../reliable/call-state.ts";
import type { LiveAnswer, LiveChange, LiveMoment, LiveWant } from "../../router/live-views.ts";
import type { Owned, Ownership } from "../storage/ownership.ts";
import { readable } from "../storage/refusal.ts";
import type { UnsavedObject } from "../storage/unsaved-object.ts";
import { LiveGates } from "./live-gates.ts";
import { LiveStream, type Telling } from "./live-stream.ts";
import { look, type Seen, versionOf, type Watched } from "./watched.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly ownership: Ownership;
  /** Undefined: nobody watches. */
  readonly gates?: Gates | undefined;
}

/** Ms that a watch lasts unless the gate renews it, objects that are watched at a time, and tries to reach a gate after a start. */
export const LIVE = { lease: 5 * 60_000, objects: 10_000, tries: 6 } as const;

/**
 * The objects of a partition that gates watch for their clients ([PUSH11]). It is all in memory:
 *
 * | what happens                | then                                                                                     |
 * |-----------------------------|------------------------------------------------------------------------------------------|
 * | a gate wants an object      | it is told what is stored, durably, and from then on of each change, for five minutes       |
 * | it wants it again           | five minutes more; it is told nothing if it has been told all                               |
 * | a commit changes an object  | each gate that watches it is told what is stored by then, in one message at a time          |
 * | a gate can't be reached     | again later, with what is stored then; at the end of the lease no more                     |
 * | it watches it no more       | it says so when it is told of a change                                                      |
 * | the object's shard has left | the gates are told, and ask its owner                                                       |
 * | the process ends            | the next one tells the gates that watched anything here, and they ask again                 |
 *
 * A gate takes what was looked at later, by epoch, process and look, so what crosses on its way does no harm.
 */
export class LiveObjects {
  readonly #parts: Parts;
  readonly #gates: LiveGates;
  readonly #watched = new Map<string, Watched>();
  readonly #streams = new Map<string, LiveStream>();
  #looks = 0;
  #sweptAt = 0;
  #ended = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#gates = new LiveGates(parts.storage);
  }

  /** A commit has stored these. */
  stored(objects: readonly UnsavedObject[]): void {
    if (this.#watched.size === 0) return;
    for (const { definition, id } of objects) {
      const watched = this.#watched.get(objectKey(definition.type, id));
      if (watched !== undefined) this.#tell(watched);
    }
  }

  /** What a gate wants to watch, in order. */
  async watch(gate: string, wants: readonly LiveWant[]): Promise<LiveAnswer[]> {
    const { storage, gates } = this.#parts;
    if (gates === undefined || !gates.names.includes(gate))
      throw new EdgeverseError("NOT_FOUND", "There is no such gate");
    this.#sweep();
    const answers = wants.map((want) => this.#answer(gate, want));
    // What is told must be durable.
    await storage.barrier();
    return answers;
  }

  /** The shard is another partition's. */
  left(shard: number): void {
    for (const watched of this.#watched.values())
      if (this.#parts.ownership.shardAt(watched.position) === shard) this.#tell(watched);
  }

  /** Tells gates that watched anything here that this process knows nothing of it. */
  resume(): void {
    for (const gate of this.#gates.names) void this.#again(gate, 1);
  }

  stop(): void {
    this.#ended = true;
    for (const stream of this.#streams.values()) stream.stop();
  }

  #answer(gate: string, want: LiveWant): LiveAnswer {
    try {
      return readable(() => this.#read(gate, want));
    } catch (error) {
      return { kind: "refused", error: EdgeverseError.from(error).toWire() };
    }
  }

  #read(gate: string, { type, id, renew = false, known }: LiveWant): LiveAnswer {
    const { registry, clock, storage } = this.#parts;
    const definition = registry.type(type);
    const owned = this.#owned(registry.placement(type, id));
    if ("to" in owned) return owned;
    const key = objectKey(type, id);
    const watched = this.#watched.get(key) ?? { key, definition, id, position: owned.position, gates: new Map() };
    // An answer may have been lost: what the gate says counts before what it was told.
    const told = known === undefined ? watched.gates.get(gate)?.told : known;
    this.#gates.add(gate);
    const seen = look(watched, storage);
    if (watched.gates.size === 0) this.#add(watched);
    const version = versionOf(seen);
    const same = renew && told !== undefined && told === version;
    watched.gates.set(gate, { until: clock.now() + LIVE.lease, told: version });
    return same ? { kind: "same" } : this.#told(watched, seen);
  }

  /** Where the object is, also while its shard is being handed off. */
  #owned(placement: Placement): Owned | { readonly kind: "moved"; readonly to: string } {
    const { ownership, clock } = this.#parts;
    const located = ownership.locate(placement, clock.now());
    if (located.kind === "owned") return located;
    if (located.kind === "moved") return { kind: "moved", to: located.partition };
    return located.owned ?? { kind: "moved", to: ownership.moved(located.shard).partition };
  }

  #add(watched: Watched): void {
    if (this.#watched.size >= LIVE.objects)
      throw new EdgeverseError("OVERLOADED", `${LIVE.objects} objects of this partition are watched`, {
        retryAfter: 30,
      });
    this.#watched.set(watched.key, watched);
  }

  #told({ position }: Watched, seen: Seen): Exclude<LiveAnswer, { kind: "same" | "moved" }> {
    if ("error" in seen) return { kind: "refused", error: seen.error };
    const epoch = this.#parts.ownership.epochAt(position) ?? 0;
    const at: LiveMoment = [epoch, this.#gates.run, ++this.#looks];
    return seen.version === null ? { kind: "gone", at } : { kind: "state", at, ...seen };
  }

  #tell({ key, gates }: Watched): void {
    for (const gate of gates.keys()) this.#stream(gate).add(key);
  }

  #stream(gate: string): LiveStream {
    const known = this.#streams.get(gate);
    if (known !== undefined) return known;
    const { ownership, gates } = this.#parts;
    const made = new LiveStream({
      ...this.#parts,
      gates: gates as Gates,
      gate,
      name: ownership.name,
      change: (key) => this.#change(gate, key),
      unwanted: (key) => this.#remove(gate, key),
      onEmpty: () => this.#streams.delete(gate),
    });
    this.#streams.set(gate, made);
    return made;
  }

  #change(gate: string, key: string): Telling | undefined {
    const { ownership, storage, clock } = this.#parts;
    const watched = this.#watched.get(key);
    const watcher = watched?.gates.get(gate);
    if (watched === undefined || watcher === undefined) return undefined;
    if (watcher.until <= clock.now()) {
      this.#remove(gate, key);
      return undefined;
    }
    const object = { type: watched.definition.type, id: watched.id };
    const removed = () => this.#remove(gate, key);
    if (ownership.epochAt(watched.position) === undefined)
      return { change: { ...object, kind: "moved" }, told: removed };
    const seen = look(watched, storage);
    const change: LiveChange = { ...object, ...this.#told(watched, seen) };
    const told = () => {
      watcher.told = versionOf(seen);
    };
    return { change, told: "error" in seen ? removed : told };
  }

  #remove(gate: string, key: string): void {
    const watched = this.#watched.get(key);
    watched?.gates.delete(gate);
    if (watched?.gates.size === 0) this.#watched.delete(key);
  }

  /** Forgets what nobody has renewed. */
  #sweep(): void {
    const now = this.#parts.clock.now();
    if (now < this.#sweptAt + LIVE.lease) return;
    this.#sweptAt = now;
    const watching = new Set<string>();
    for (const { key, gates } of this.#watched.values())
      for (const [gate, { until }] of gates) until <= now ? this.#remove(gate, key) : watching.add(gate);
    for (const gate of this.#gates.names) if (!watching.has(gate)) this.#gates.remove(gate);
  }

  async #again(gate: string, tries: number): Promise<void> {
    const { gates, ownership, clock } = this.#parts;
    if (this.#ended || gates === undefined || !gates.names.includes(gate)) return;
    try {
      await gates.live(gate, ownership.name, null);
    } catch {
      // The gate renews what it watches by itself, a little later.
      if (tries < LIVE.tries) clock.after(retryDelay(tries), () => void this.#again(gate, tries + 1));
    }
  }
}
