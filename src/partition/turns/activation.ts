import type { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { freezeJson } from "../../object/json.ts";
import { objectKey } from "../../object/message.ts";
import type { TypeDefinition } from "../../object/registry.ts";
import type { VirtualObject } from "../../object/virtual-object.ts";
import type { CommitUnit } from "../storage/commit-unit.ts";
import { Mailbox } from "./mailbox.ts";

/** The state that turns have begun from: a committed one, or one that is about to be. */
export interface Base {
  /** Why it was never committed. */
  refusal: EdgeverseError | undefined;
}

/** An instance in memory. Dropped when a turn on it fails: its private fields must not keep what was rolled back. */
export class Instance<Turn> {
  object!: VirtualObject<unknown>;
  /** The turn whose method is on the stack. Asking the asynchronous scope costs several times as much. */
  active: Turn | undefined;
  /**
   * The turn of a method that is no async function, until its promise has settled, if it returns one. What async ones do
   * after an `await` finds its turn through the asynchronous scope.
   */
  current: Turn | undefined;
  #text: string;
  #frozen: unknown;

  constructor(text: string) {
    this.#text = text;
  }

  /** Text of the state, as today's schema has it. */
  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    if (text === this.#text) return;
    this.#text = text;
    this.#frozen = undefined;
  }

  /** Lets go of the state: code that never ends may hold the instance for ever. */
  release(): void {
    this.#text = "";
    this.#frozen = undefined;
  }

  /** Calls the method of `turn`. */
  run(turn: Turn, method: (object: VirtualObject<unknown>) => unknown): unknown {
    const outer = this.active;
    this.active = turn;
    try {
      return method(this.object);
    } finally {
      this.active = outer;
    }
  }

  /** The state for readonly turns: frozen, made once per version of the state. */
  frozen(): unknown {
    this.#frozen ??= freezeJson(JSON.parse(this.#text));
    return this.#frozen;
  }
}

/**
 * One object in its partition's memory: the state text of the last successful turn (committed, or part of the next group
 * commit), what the database has not seen of it, and the turns that run or wait.
 */
export class Activation<Turn> {
  readonly key: string;
  readonly definition: TypeDefinition;
  readonly id: string;
  readonly position: number;
  /** By the shard count at the time it was opened. Decide by the position. */
  readonly shard: number;
  /** The shard's epoch when it was opened; joining two shards may raise it. */
  epoch: number;
  readonly mailbox = new Mailbox<Turn>();
  instance: Instance<Turn> | undefined;

  /** Whether the database was read. */
  loaded = false;
  exists = false;
  /** JSON text of the state, when it exists. */
  text = "";
  /** Version of the state's shape that wrote `text`. */
  version = 0;

  /** What its indexes had of the state when it was published last, of a type with indexes. */
  entries: string | undefined;

  /** What its turns began from; replaced when the database has refused that. */
  base: Base = { refusal: undefined };
  /** Objects of this partition that have seen its uncommitted work, or whose it has seen. */
  unit: CommitUnit | undefined;
  /** Part of the next group commit; the fields below say what to write. */
  dirty = false;
  /** Stored rows are to be removed before `rows` is written: the object was deleted. */
  wiped = false;
  /** Store rows to write: text, or null for a deletion. */
  rows: Map<string, string | null> | undefined;

  /** Told when the last turn has ended, while the shard is drained. */
  onIdle: (() => void) | undefined;
  /** The engine is starting what waits here. */
  pumping = false;
  /** Stays in memory while its partition owns it: an `autoLoad` object ([LIFE4]). */
  pinned = false;
  /** Used since the eviction hand passed last. */
  referenced = true;
  lastUsed = 0;
  /** Pending reliable calls; they keep the activation in memory. */
  pendingCalls = 0;
  /** Bytes this activation was last counted with. */
  accounted = 0;

  constructor(definition: TypeDefinition, id: string, position: number, shard: number, epoch: number) {
    this.key = objectKey(definition.type, id);
    this.definition = definition;
    this.id = id;
    this.position = position;
    this.shard = shard;
    this.epoch = epoch;
  }

  /** Forgets what was published and not stored: the next turn reads the row again. */
  refuse(refusal: EdgeverseError): void {
    this.base.refusal = refusal;
    this.base = { refusal: undefined };
    this.unload();
    this.dirty = false;
    this.wiped = false;
    this.rows = undefined;
  }

  /** Drops the instance; no turn that may still succeed is on it. */
  dropInstance(): void {
    this.instance?.release();
    this.instance = undefined;
  }

  /** Forgets what the database has, too: the next turn reads the row again. */
  unload(): void {
    this.dropInstance();
    this.loaded = false;
    this.exists = false;
    this.text = "";
    this.version = 0;
    this.entries = undefined;
  }

  /** Estimated bytes of memory: text, a parsed copy, and what every activation costs. */
  get bytes(): number {
    return 600 + this.key.length * 2 + this.text.length * 4 + (this.entries?.length ?? 0) * 2;
  }

  /** Whether it is known that there is no such object. */
  get absent(): boolean {
    return this.loaded && !this.exists;
  }

  get evictable(): boolean {
    return this.mailbox.idle && !this.dirty && this.pendingCalls === 0 && !this.pinned;
  }
}
