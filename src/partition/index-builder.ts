import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { FIXED_POSITION } from "../identity/hash-order.ts";
import { freezeJson } from "../object/json.ts";
import { objectKey } from "../object/message.ts";
import type { Registry } from "../object/registry.ts";
import type { MovedRow } from "../placement/move.ts";
import { readMeta, writeMeta } from "../platform/meta.ts";
import type { Clock, SqlRow, SqlStorage } from "../platform/ports.ts";
import type { ChangeTracker } from "./storage/change-tracker.ts";
import { replaceEntries, versionOf } from "./storage/index-entries.ts";
import type { Ownership } from "./storage/ownership.ts";
import type { HashRange } from "./storage/shard-rows.ts";
import { parseState } from "./turns/activate.ts";
import { WAKE_AFTER } from "./turns/deadlines.ts";
import type { Observer } from "./turns/ports.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly observer: Observer;
  /** Asks to be woken, should the process end before its work does. */
  readonly wakeBy: (time: number) => void;
}

type Versions = Readonly<Record<string, string>>;

/** A range of objects whose entries may be of other versions. `versions`: it is the whole database, and these are to be. */
interface Pass extends HashRange {
  after: readonly [position: number, type: string, id: string] | null;
  readonly versions?: Versions;
}

/** What is durable of it, under `indexes` of `meta`. */
interface Progress {
  /** Versions of the indexes that all objects here have, by type; but for those that passes are for. */
  versions: Versions;
  passes: Pass[];
}

type Row = SqlRow & { position: number; type: string; id: string; entries: string | null };

/** Bounds of one step: rows looked at, rows written, and characters of states read. */
const LOOKED = 500;
const WRITTEN = 100;
const CHARACTERS = 1024 * 1024;
/** Ms to the next step; and when a shard is being handed off, or the database takes no writes. */
const NEXT = 2;
const LATER = 250;

/**
 * Builds the indexes of stored objects anew where another version of the code has written them ([IDX4]): of all objects when
 * the classes' indexes have changed, and of a shard that came with such rows. In steps, so that calls go on.
 */
export class IndexBuilder {
  readonly #parts: Parts;
  readonly #wanted: Versions;
  readonly #progress: Progress;
  readonly #warned = new Set<string>();
  #running = false;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const indexed = parts.registry.types.filter(({ indexes }) => indexes !== undefined);
    this.#wanted = Object.fromEntries(indexed.map(({ type, indexes }) => [type, indexes?.version ?? ""]).sort());
    const stored = readMeta(parts.storage, "indexes");
    this.#progress = stored === undefined ? { versions: {}, passes: [] } : (JSON.parse(stored) as Progress);
    const whole = this.#progress.passes.find(({ versions }) => versions !== undefined)?.versions;
    if (same(whole ?? this.#progress.versions, this.#wanted)) return;
    // From its first step on, rows have other entries than these versions say: also for code that comes back before the last.
    const kept = Object.entries(this.#progress.versions).filter(([type, version]) => version === this.#wanted[type]);
    this.#progress.versions = Object.fromEntries(kept);
    const passes = this.#progress.passes.filter(({ versions }) => versions === undefined);
    this.#progress.passes = [{ first: FIXED_POSITION, last: 2 ** 32, after: null, versions: this.#wanted }, ...passes];
  }

  /** Whether work is left that can be done now. */
  get busy(): boolean {
    return this.#progress.passes.some((pass) => !this.#isStaged(pass));
  }

  /** Whether every object of the type can be found here by its indexes of this version. */
  isReady(type: string, version: string): boolean {
    const { versions, passes } = this.#progress;
    if (versions[type] !== version || this.#wanted[type] !== version) return false;
    return passes.every((pass) => pass.versions !== undefined || this.#isStaged(pass));
  }

  /** Goes on with what is left: at the start, and when a shard is owned. */
  resume(): void {
    if (this.#running || this.#stopped || !this.busy) return;
    this.#running = true;
    // A first step at once: few objects are done with it, and nobody is told that their indexes are being built.
    this.#step();
    if (this.busy) this.#parts.wakeBy(this.#parts.clock.now() + WAKE_AFTER);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Rows of a shard have come; in the transaction that stores them. */
  arrived(shard: number, rows: readonly MovedRow[]): void {
    const old = rows.some(
      ({ kind, type, values }) => kind === 0 && values !== null && versionOf(values.at(-1)) !== this.#wanted[type],
    );
    if (old && this.#expect(this.#parts.ownership.range(shard))) this.#save();
  }

  #step(): void {
    if (this.#stopped) return;
    const { storage, changes, clock, observer } = this.#parts;
    const pass = this.#progress.passes.find((each) => !this.#isStaged(each));
    if (pass === undefined) {
      this.#running = false;
      return;
    }
    let wait = NEXT;
    const undo = changes.checkpoint();
    const before = structuredClone(this.#progress);
    try {
      storage.transaction(() => {
        if (this.#advance(pass) === "held up") wait = LATER;
        changes.save();
        this.#save();
      });
    } catch (error) {
      undo();
      Object.assign(this.#progress, before);
      wait = LATER;
      observer.warn("indexes can't be built; it is tried again", { error });
    }
    if (this.busy) clock.after(wait, () => this.#step());
    else this.#running = false;
  }

  #advance(pass: Pass): "held up" | undefined {
    const { storage, ownership } = this.#parts;
    const rows = storage.query<Row>(
      `SELECT position, type, id, entries FROM objects
       WHERE (position, type, id) > (?, ?, ?) AND position <= ? ORDER BY position, type, id LIMIT ?`,
      ...(pass.after ?? [pass.first, "", ""]),
      pass.last,
      LOOKED,
    );
    let written = 0;
    let characters = 0;
    for (const row of rows) {
      const { position, type, id } = row;
      if (versionOf(row.entries) !== this.#wanted[type]) {
        const shard = ownership.shardAt(position);
        // What it holds is compared at its hand-off: nothing may change any more.
        if (ownership.gated(shard)) return "held up";
        if (ownership.epochAt(position) !== undefined) {
          characters += this.#rewrite(row);
          written++;
        } else if (this.#isStaged({ first: position })) this.#expect(ownership.range(shard));
      }
      pass.after = [position, type, id];
      if (written >= WRITTEN || characters >= CHARACTERS) return undefined;
    }
    if (rows.length === LOOKED) return undefined;
    this.#progress.passes = this.#progress.passes.filter((each) => each !== pass);
    if (pass.versions !== undefined) this.#progress.versions = pass.versions;
    return undefined;
  }

  /** Writes what today's indexes have of an object; gives the characters of its state. */
  #rewrite({ position, type, id }: Row): number {
    const { storage, changes } = this.#parts;
    const key = [position, type, id] as const;
    const at = "position = ? AND type = ? AND id = ?";
    const sql = `SELECT state, version FROM objects WHERE ${at}`;
    const [stored] = storage.query<{ state: string; version: number }>(sql, ...key);
    const { state = "", version = 0 } = stored ?? {};
    const entries = this.#entries(type, id, state, version);
    changes.row({ kind: 0, position, type, id, key: "" }, () => {
      replaceEntries(storage, [[...key, entries]]);
      storage.query(`UPDATE objects SET entries = ? WHERE ${at}`, entries, ...key);
    });
    return state.length;
  }

  #entries(type: string, id: string, text: string, version: number): string | null {
    const { registry, observer } = this.#parts;
    if (this.#wanted[type] === undefined) return null;
    const definition = registry.type(type);
    const key = objectKey(type, id);
    try {
      const state = parseState({ definition, key, exists: true, text, version });
      return definition.indexes?.entries(key, freezeJson(state)) ?? null;
    } catch (error) {
      // It can't be called either, or only to mend it: that writes it.
      if (!this.#warned.has(type))
        observer.warn("objects can't be indexed", { key, error: EdgeverseError.from(error) });
      this.#warned.add(type);
      return JSON.stringify([this.#wanted[type]]);
    }
  }

  /** Whether the rows there are a copy under way: nothing may be written to them, and nobody finds them. */
  #isStaged({ first }: Pick<HashRange, "first">): boolean {
    return this.#parts.ownership.staged().some((range) => first >= range.first && first <= range.last);
  }

  /** Notes a range that is to be looked at; says whether it is new. */
  #expect({ first, last }: HashRange): boolean {
    const { passes } = this.#progress;
    const known = passes.find((pass) => pass.versions === undefined && pass.first === first && pass.last === last);
    if (known === undefined) passes.push({ first, last, after: null });
    else if (known.after === null) return false;
    else known.after = null;
    return true;
  }

  #save(): void {
    writeMeta(this.#parts.storage, "indexes", JSON.stringify(this.#progress));
  }
}

function same(left: Versions, right: Versions): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
