import { ManualClock, SqliteStorage } from "edgeverse/testing";
import type { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import type { CommitMember, CommitUnit } from "../../src/partition/storage/commit-unit.ts";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { UnsavedObject } from "../../src/partition/storage/unsaved-object.ts";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";

/** A database that takes nothing with the word POISON. */
export class PickyStorage extends SqliteStorage {
  transactions = 0;
  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    if (params.some((param) => String(param).includes("POISON"))) throw new Error("SQLITE_CONSTRAINT");
    return super.query<Row>(sql, ...params);
  }
  override transaction<R>(action: () => R): R {
    this.transactions++;
    return super.transaction(action);
  }
}

/** An object of the type T with this state. */
export class Thing implements UnsavedObject {
  readonly position: number = 7;
  readonly definition: { readonly type: string } = { type: "T" };
  readonly id: string;
  exists = true;
  text: string;
  version = 1;
  entries: string | undefined;
  dirty = false;
  wiped = false;
  rows: Map<string, string | null> | undefined;
  unit: CommitUnit | undefined;
  constructor(id: string, text = "{}", position = 7) {
    this.id = id;
    this.text = text;
    this.position = position;
  }
}

/** A group commit alone. `told` is what those who wait have heard, in order: a name, and a code where it failed. */
export function groupCommit(onFailure?: () => void, storage = new PickyStorage()) {
  migrate(storage);
  const clock = new ManualClock(1_000);
  const told: string[] = [];
  const refused: Map<CommitMember, EdgeverseError>[] = [];
  const failures: EdgeverseError[] = [];
  const fenced = new Set<number>();
  const changes = new ChangeTracker(storage, () => 1);
  const commit = new GroupCommit({
    storage,
    clock,
    changes,
    fence: (position) => {
      if (fenced.has(position)) throw new Error("fenced");
    },
    onRefused: (members, tell) => {
      refused.push(new Map(members));
      told.push("refused");
      tell();
    },
    onFailure: (error) => {
      failures.push(error);
      told.push("failure");
      onFailure?.();
    },
  });
  const say = (name: string) => (error: EdgeverseError | undefined) =>
    void told.push(error === undefined ? name : `${name}: ${error.code}`);
  const objects = () => storage.query("SELECT id, state, created, updated FROM objects ORDER BY id");
  const ids = () => objects().map(({ id }) => id);
  /** Publishes what the object holds, and waits for the commit. */
  const publish = (thing: Thing) => {
    commit.changed(thing);
    commit.settled(thing, say(thing.id));
  };
  const notes = () => storage.query("SELECT id FROM rows WHERE type = 'note' ORDER BY id").map(({ id }) => id);
  const note = (name: string) => () => void storage.query("INSERT INTO rows VALUES (1, 'note', ?, 'k', 'v')", name);
  storage.transactions = 0;
  return { storage, clock, told, refused, failures, fenced, changes, commit, say, publish, objects, ids, note, notes };
}
