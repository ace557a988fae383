import { ManualClock, SqliteStorage } from "edgeverse/testing";
import { Registry } from "../../src/object/registry.ts";
import { nextChunk } from "../../src/partition/moves/copy-chunk.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { UnsavedObject } from "../../src/partition/storage/unsaved-object.ts";
import type { CopyCursor, MoveOrder, TransferChunk } from "../../src/placement/move.ts";
import { type Genesis, ShardMap } from "../../src/placement/shard-map.ts";

const GENESIS: Genesis = { shards: 1, members: ["p0", "p1"].map((name) => ({ name, weight: 1 })) };
/** The partition that may claim the only shard, and the other one. */
export const OWNER = new ShardMap({ version: 1, genesis: GENESIS, exceptions: [] }).owner(0);
export const OTHER = OWNER === "p0" ? "p1" : "p0";

/** A move of the shard from its first owner. */
export const order = (id: number): MoveOrder => ({ id, shard: 0, shards: 1, from: OWNER, to: OTHER, mapVersion: 1 });

/** What a partition stores of the shard, without any object in memory. */
export class ShardEnd {
  readonly name: string;
  readonly clock: ManualClock;
  readonly storage = new SqliteStorage();
  readonly ownership: Ownership;
  changes: ChangeTracker;

  constructor(name: string, clock = new ManualClock()) {
    this.name = name;
    this.clock = clock;
    migrate(this.storage);
    Ownership.bootstrap(this.storage, name, GENESIS, 1);
    this.ownership = new Ownership(name, GENESIS, this.storage, new Registry([]));
    this.changes = this.#tracker();
    this.ownership.claim(0, clock.now());
  }

  #tracker(): ChangeTracker {
    return new ChangeTracker(this.storage, () => this.clock.now());
  }

  /** Forgets what was only in memory. */
  crash(): void {
    this.changes = this.#tracker();
  }

  /** The shard is on its way to the other partition from now on. */
  offer(id: number): void {
    this.ownership.apply(0, { kind: "offer", move: id, to: OTHER }, this.clock.now(), order(id));
    this.changes.begin(0, this.ownership.range(0));
  }

  /** Stores a value under each key of an object; no value deletes the row. */
  write(id: string, rows: Readonly<Record<string, string | null>>): void {
    const object = { position: 7, definition: { type: "T" }, id, wiped: false, exists: false };
    this.#change({ ...object, rows: new Map(Object.entries(rows)) }, () => {
      for (const [key, value] of Object.entries(rows)) {
        this.storage.query("DELETE FROM rows WHERE id = ? AND key = ?", id, key);
        if (value !== null) this.storage.query("INSERT INTO rows VALUES (7, 'T', ?, ?, ?)", id, key, value);
      }
    });
  }

  /** Deletes an object with all its rows. */
  wipe(id: string): void {
    const object = { position: 7, definition: { type: "T" }, id, wiped: true, exists: false, rows: undefined };
    this.#change(object, () => this.storage.query("DELETE FROM rows WHERE id = ?", id));
  }

  #change(object: Partial<UnsavedObject>, write: () => void): void {
    this.storage.transaction(() => {
      this.changes.object(object as UnsavedObject, write);
      this.changes.save();
    });
  }

  /** The rows that follow the cursor. */
  chunk(id: number, cursor: CopyCursor | null, final = false): TransferChunk {
    return nextChunk(this, { order: order(id), cursor }, final);
  }

  /** All rows, as `id/key=value`. */
  rows(): string[] {
    return this.storage
      .query<{ id: string; key: string; value: string }>("SELECT id, key, value FROM rows ORDER BY id, key")
      .map(({ id, key, value }) => `${id}/${key}=${value}`);
  }
}

/** Many rows, by key. */
export const many = (count: number, value = "v") =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${String(n).padStart(4, "0")}`, value]));
