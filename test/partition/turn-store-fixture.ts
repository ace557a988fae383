import { SqliteStorage } from "edgeverse/testing";
import fc from "fast-check";
import { expect } from "vitest";
import type { TypeDefinition } from "../../src/object/registry.ts";
import type { StoreRange, StoreRow } from "../../src/object/store.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { Activation } from "../../src/partition/turns/activation.ts";
import { MemoryBudget } from "../../src/partition/turns/memory-budget.ts";
import { TurnStore } from "../../src/partition/turns/turn-store.ts";
import { ManualClock } from "../../src/testing/clocks.ts";

export const utf8 = (left: string, right: string) => Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));

/** One object's rows as the engine keeps them: turns that end, group commits, deletion. */
export class Harness {
  readonly storage = new SqliteStorage();
  readonly activation = new Activation<never>({ type: "T" } as TypeDefinition, "a", 7, 1, 1);
  readonly commit: GroupCommit;
  readonly maxValue: number;
  readonly memory = new MemoryBudget(() => 100 * 1024 * 1024);
  mutable = true;
  store: TurnStore;

  constructor(maxValue = 1_000) {
    this.maxValue = maxValue;
    migrate(this.storage);
    this.commit = new GroupCommit({
      storage: this.storage,
      clock: new ManualClock(),
      changes: new ChangeTracker(this.storage, () => 0),
      fence: () => undefined,
      onRefused: (refused) => expect.fail(`refused: ${[...refused.values()]}`),
      onFailure: (error) => expect.fail(error.message),
    });
    this.activation.exists = true;
    this.activation.text = "{}";
    this.store = this.open();
    // Rows of neighbours, which must never show.
    const neighbours = [
      [7, "T", "b"],
      [7, "U", "a"],
      [8, "T", "a"],
    ] as const;
    for (const [position, type, id] of neighbours) {
      for (const key of ["a", "b", "😀"])
        this.storage.query("INSERT INTO rows VALUES (?, ?, ?, ?, '0')", position, type, id, key);
    }
  }

  /** A turn's store; with `under`, that of a turn within another one ([TURN7], reentrant types). */
  open(under?: TurnStore): TurnStore {
    return new TurnStore(this.activation, this.storage, {
      ...(under === undefined ? {} : { under: () => under }),
      maxValue: this.maxValue,
      memory: this.memory,
      checkMutable: () => {
        if (!this.mutable) throw new TypeError("readonly");
      },
      flush: () => this.commit.flush(),
    });
  }

  /** The turn succeeded: its rows are the object's present. */
  publish(): void {
    if (this.store.writes.size > 0) {
      this.activation.rows ??= new Map();
      for (const [key, text] of this.store.writes) this.activation.rows.set(key, text);
      this.commit.changed(this.activation);
    }
    this.store = this.open();
  }

  rollBack(): void {
    this.store = this.open();
  }

  /** A turn deleted the object; the next one makes it again. */
  wipe(): void {
    this.activation.wiped = true;
    this.activation.rows = undefined;
    this.commit.changed(this.activation);
    this.store = this.open();
  }
}

/** Characters around which orders differ: ASCII, the ends of the planes, and pairs above U+FFFF. */
export const character = fc.constantFrom(
  "a",
  "b",
  "~",
  "é",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "😀",
  "\u{10ffff}",
);
export const text = fc.string({ unit: character, maxLength: 3 });
export const key = fc.string({ unit: character, minLength: 1, maxLength: 3 });
export const range: fc.Arbitrary<StoreRange> = fc
  .record(
    {
      prefix: text,
      start: text,
      startAfter: text,
      end: text,
      reverse: fc.boolean(),
      limit: fc.integer({ min: 1, max: 6 }),
    },
    { requiredKeys: [] },
  )
  .map(({ start, ...rest }) => (rest.startAfter === undefined && start !== undefined ? { ...rest, start } : rest));

export function naive(rows: ReadonlyMap<string, unknown>, given: StoreRange) {
  const { prefix = "", start = "", startAfter, end, reverse = false, limit = 1_000 } = given;
  const sorted = [...rows]
    .filter(([name]) => name.startsWith(prefix) && utf8(name, start) >= 0)
    .filter(([name]) => startAfter === undefined || utf8(name, startAfter) > 0)
    .filter(([name]) => end === undefined || utf8(name, end) < 0)
    .sort(([left], [right]) => utf8(left, right))
    .map(([name, value]) => ({ key: name, value }));
  return (reverse ? sorted.reverse() : sorted).slice(0, limit);
}

/** All rows of a range, page by page. */
export function pages(store: TurnStore, given: StoreRange) {
  const rows: StoreRow[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = store.page({ ...given, cursor });
    expect(page.rows.length).toBeLessThanOrEqual(given.limit ?? 1_000);
    if (page.cursor !== undefined) expect(page.rows).toHaveLength(given.limit ?? 1_000);
    rows.push(...page.rows);
    cursor = page.cursor;
  }
  return rows;
}
