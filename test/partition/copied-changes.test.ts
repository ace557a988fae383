import { ManualClock, SqliteStorage } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashRange } from "../../src/identity/hash-order.ts";
import { Registry } from "../../src/object/registry.ts";
import { CallTable } from "../../src/partition/calls/call-table.ts";
import { nextChunk } from "../../src/partition/moves/copy-chunk.ts";
import { ChangeTracker, digestWith } from "../../src/partition/storage/change-tracker.ts";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { EMPTY_DIGEST } from "../../src/partition/storage/row-digest.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { insertRows, readRow, replaceRow, rowsOfObject, scanRows } from "../../src/partition/storage/shard-rows.ts";
import type { CopyCursor, CopyDigest, TransferChunk } from "../../src/placement/move.ts";
import { callRecord } from "../support/call-records.ts";
import { Thing } from "./commit-fixture.ts";

const SHARD = 0;
const RANGE = hashRange(SHARD, 2);
const ORDER = { id: 1, shard: SHARD, shards: 2, from: "p0", to: "p1", mapVersion: 1 };
/** A message of the copy has at most four rows of this size. */
const PAD = "x".repeat(32_000);
/** The last one is on the shard that stays. */
const OBJECTS = [
  ["a", 5],
  ["b", 5],
  ["c", RANGE.last],
  ["d", RANGE.last + 1],
] as const;

/** The source of a move, as its processes follow each other. */
class Source {
  readonly storage = new SqliteStorage();
  readonly clock = new ManualClock();
  readonly ownership: Ownership;
  #refuse = "";
  #process: { readonly changes: ChangeTracker; readonly commit: GroupCommit; readonly table: CallTable };

  constructor() {
    migrate(this.storage);
    const genesis = { shards: 2, members: [{ name: "p0", weight: 1 }] };
    Ownership.bootstrap(this.storage, "p0", genesis, 2);
    this.ownership = new Ownership("p0", genesis, this.storage, new Registry([]));
    for (const shard of [0, 1]) this.ownership.claim(shard, 1);
    this.#process = this.#start();
  }

  get changes() {
    return this.#process.changes;
  }

  #start() {
    const changes = new ChangeTracker(this.storage, () => this.clock.now());
    if (this.ownership.record(SHARD)?.state.kind === "leaving") changes.begin(SHARD, RANGE);
    const now = () => this.clock.now();
    const parts = { name: "p0", now, shardAt: () => SHARD, changes, fence: () => {}, logs: false };
    const commit = new GroupCommit({
      storage: this.storage,
      clock: this.clock,
      changes,
      fence: () => {},
      onRefused: (_members, tell) => tell(),
      onFailure: (error) => expect.fail(error.message),
    });
    return { changes, commit, table: new CallTable(this.storage, parts) };
  }

  offer() {
    this.ownership.apply(SHARD, { kind: "offer", move: ORDER.id, to: "p1" }, 1, ORDER);
    this.changes.begin(SHARD, RANGE);
  }

  restart() {
    this.#process = this.#start();
  }

  /** Objects whose writes the database does not take, in the next commit. */
  refuse(id: string) {
    this.#refuse = id;
  }

  publish(thing: Thing) {
    const { commit } = this.#process;
    commit.changed(thing);
    if (thing.id === this.#refuse)
      commit.write(thing, () => {
        throw new Error("no");
      });
  }

  call([id, position]: (typeof OBJECTS)[number], callId: string, ends: boolean) {
    const { commit, table } = this.#process;
    const record = callRecord({ type: "T", id, callId, request: PAD, status: ends ? "success" : "pending" });
    const call = { seq: table.nextSeq(), position, log: "write-behind", crashes: 0, logged: true, record } as const;
    const known = table.find(position, "T", id, callId);
    if (known !== undefined && !(ends && known.record.status === "pending")) return;
    const owner = new Thing(id);
    if (ends) commit.add(owner, { store: (rows: never[]) => table.finish(rows) }, { ...call, accepted: true });
    else commit.add(owner, { store: (rows: never[]) => table.accept(rows) }, call);
    commit.flush();
  }

  commit() {
    this.#process.commit.flush();
    this.#refuse = "";
  }

  chunk(cursor: CopyCursor | null, final = false) {
    return nextChunk(
      { ...this.#process, ownership: this.ownership, storage: this.storage },
      { order: ORDER, cursor },
      final,
    );
  }
}

/** What the target has got so far. */
class Target {
  readonly storage = new SqliteStorage();
  cursor: CopyCursor | null = null;
  digest: CopyDigest = EMPTY_DIGEST;

  constructor() {
    migrate(this.storage);
  }

  take({ from, rows, to }: TransferChunk) {
    const first = from === null || from.scan !== null;
    if (first) insertRows(this.storage, rows);
    for (const row of rows) {
      if (row.wipe === true) {
        for (const old of rowsOfObject(this.storage, row)) {
          this.digest = digestWith(this.digest, old, old.values, -1);
          replaceRow(this.storage, { ...old, values: null });
        }
        continue;
      }
      if (!first) {
        this.digest = digestWith(this.digest, row, readRow(this.storage, row), -1);
        replaceRow(this.storage, row);
      }
      this.digest = digestWith(this.digest, row, row.values, 1);
    }
    this.cursor = to;
  }
}

const rowsIn = (storage: SqliteStorage) => scanRows(storage, RANGE, null, { rows: 1_000, bytes: 2 ** 30 }).rows;

type Step = readonly [
  what:
    | "write"
    | "remove"
    | "delete"
    | "make again"
    | "call"
    | "end"
    | "refuse"
    | "commit"
    | "send"
    | "repeat"
    | "crash",
  object: number,
  key: string,
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom<Step[0][]>(
    "write",
    "write",
    "remove",
    "delete",
    "make again",
    "call",
    "end",
    "refuse",
    "commit",
    "commit",
    "send",
    "send",
    "repeat",
    "crash",
  ),
  fc.nat({ max: OBJECTS.length - 1 }),
  fc.constantFrom("k", "l", "m"),
);

/** Does a step on the object. What a commit has not written when it is refused or the process ends is lost. */
function run(source: Source, target: Target, [what, index, key]: Step, things: Thing[], version: number) {
  const [id, position] = OBJECTS[index] as (typeof OBJECTS)[number];
  const thing = things[index] as Thing;
  const commit = () => {
    source.commit();
    things.splice(0, things.length, ...OBJECTS.map((object) => stored(source.storage, object)));
  };
  switch (what) {
    case "write":
    case "remove":
    case "make again":
    case "delete":
      if (what === "delete" || what === "make again") Object.assign(thing, { wiped: true, rows: undefined });
      thing.exists = what !== "delete";
      thing.text = `${version}`;
      if (thing.exists) {
        thing.rows ??= new Map();
        thing.rows.set(key, what === "remove" ? null : `${version}${PAD}`);
      }
      source.publish(thing);
      break;
    case "refuse":
      source.refuse(id);
      break;
    case "call":
    case "end":
      source.call([id, position] as (typeof OBJECTS)[number], key, what === "end");
      break;
    case "commit":
      commit();
      break;
    case "crash":
      source.restart();
      commit();
      break;
    case "send":
    case "repeat": {
      const chunk = source.chunk(target.cursor);
      // Its answer was lost: the target is asked where it stands.
      if (what === "repeat") break;
      target.take(chunk);
      // What comes back may be lost as well.
      if (key !== "k") source.changes.acknowledged(SHARD, chunk.to.change);
    }
  }
}

function stored(storage: SqliteStorage, [id, position]: (typeof OBJECTS)[number]): Thing {
  const [row] = storage.query<{ state: string }>(
    "SELECT state FROM objects WHERE position = ? AND id = ?",
    position,
    id,
  );
  const thing = new Thing(id, row?.state, position);
  thing.exists = row !== undefined;
  return thing;
}

describe("[MIG2] [MIG3] a shard that is copied while it is written to", () => {
  test("is the same at the target in the end, whatever happens when", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.array(step, { maxLength: 40 }), (before, during) => {
        const [source, target] = [new Source(), new Target()];
        const things = OBJECTS.map(([id, position]) => new Thing(id, "{}", position));
        let version = 0;
        for (const some of before) if (!/send|repeat/.test(some[0])) run(source, target, some, things, version++);
        source.commit();
        source.offer();
        for (const some of during) run(source, target, some, things, version++);
        source.commit();
        for (let sent = 0; ; sent++) {
          expect(sent).toBeLessThan(200);
          const chunk = source.chunk(target.cursor, true);
          target.take(chunk);
          source.changes.acknowledged(SHARD, chunk.to.change);
          if (chunk.final === undefined) continue;
          expect(target.digest).toEqual(chunk.final);
          break;
        }
        expect(rowsIn(target.storage)).toEqual(rowsIn(source.storage));
        const digest = rowsIn(source.storage).reduce((sum, row) => digestWith(sum, row, row.values, 1), EMPTY_DIGEST);
        expect(target.digest).toEqual(digest);
        expect(source.storage.query("SELECT * FROM changes")).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});
