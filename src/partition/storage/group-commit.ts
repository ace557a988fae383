import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { ChangeTracker } from "./change-tracker.ts";
import { type BulkWrite, CommitBatch, type HandOver, type OnDurable, type Owner } from "./commit-batch.ts";
import { type CommitMember, CommitUnits } from "./commit-unit.ts";
import { HandOvers } from "./hand-overs.ts";
import { ObjectWriter } from "./object-writer.ts";
import { refusal } from "./refusal.ts";
import { salvage } from "./salvage.ts";
import type { UnsavedObject } from "./unsaved-object.ts";

export interface CommitStats {
  commits: number;
  /** Turns and other writes that shared those commits. */
  joined: number;
  failures: number;
}

/** What a group commit needs beside its storage. */
export interface GroupCommitParts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  readonly fence: (position: number) => void;
  /** A transaction has stored these objects. */
  readonly onStored?: (objects: readonly UnsavedObject[]) => void;
  /** What was published of these objects was not stored and never will be. `tell` tells those who wait for it. */
  readonly onRefused: (refused: ReadonlyMap<CommitMember, EdgeverseError>, tell: () => void) => void;
  /** The storage lost what it had taken, or can't take the partition's own rows. Called once, before those who wait are told. */
  readonly onFailure: (error: EdgeverseError) => void;
}

const runs: BulkWrite<() => void> = {
  store: (writes) => {
    for (const write of writes) write();
  },
};

/**
 * Group commit ([TURN4]): what finishes close together is written in one transaction and hears of it together.
 *
 * A turn that succeeded has already published its state to its object; the commit writes whatever the dirty objects hold. So
 * turns on one object cost one row however many they were, and their order needs no log. Everything that waits - also a
 * readonly turn or a refusal, which may show uncommitted state - is answered in the event of the storage access ([TURN10]).
 *
 * | the transaction | then                                                                                             |
 * |-----------------|--------------------------------------------------------------------------------------------------|
 * | succeeds        | all are told when it is durable                                                                   |
 * | fails           | its units are tried again, in halves, until each that fails is alone: it is refused, the rest stay |
 * |                 | (what one handed over to another that fails stays with the one that gave it, see `salvage`)         |
 * | is lost later   | the partition starts over from its database                                                      |
 */
export class GroupCommit {
  readonly stats: CommitStats = { commits: 0, joined: 0, failures: 0 };
  readonly #parts: GroupCommitParts;
  readonly #objects: ObjectWriter;
  #batch = new CommitBatch();
  /** Writes of the partition's own rows; they follow in a transaction of their own. */
  #own: (() => void)[] = [];
  #units = new CommitUnits();
  #handOvers = new HandOvers();
  readonly #prepares: (() => void)[] = [];
  #scheduled: object | undefined;
  /** Why nothing is committed any more; undefined while it runs. */
  #ended: EdgeverseError | undefined;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
    this.#objects = new ObjectWriter(parts);
  }

  /** Runs `prepare` at the beginning of every commit, after those that came before: it may add to it. */
  beforeEach(prepare: () => void): void {
    this.#prepares.push(prepare);
  }

  /** The next commit writes what `object` holds. */
  changed(object: UnsavedObject): void {
    if (object.dirty || this.#ended !== undefined) return;
    object.dirty = true;
    this.#batch.objects.push(object);
    this.#schedule();
  }

  /**
   * Runs `write` inside the next commit, after the objects. For an object it may run again, when the commit fails at first: it
   * must have no effect but its statements.
   */
  write(owner: Owner, write: () => void): void {
    if (owner !== null) this.add(owner, runs, write);
    else if (this.#ended === undefined) {
      this.#own.push(write);
      this.#schedule();
    }
  }

  /** Stores `row` in the next commit, together with others of its kind, after the objects. */
  add<Row>(owner: CommitMember, bulk: BulkWrite<Row>, row: Row): void {
    if (this.#ended !== undefined) return;
    this.#batch.rows.push({ owner, bulk: bulk as BulkWrite<never>, row });
    this.#schedule();
  }

  /** `left` and `right` have seen what the other has not committed yet: it commits together or not at all. */
  link(left: CommitMember, right: CommitMember): void {
    if (left !== right) this.#units.join(left, right);
  }

  /** `to` has been given work by `from` that is not committed yet: it commits with `from`, or not at all. */
  handOver(handOver: HandOver): void {
    if (this.#ended !== undefined) return;
    // It has seen what is not settled.
    this.#units.of(handOver.to);
    this.#handOvers.add(handOver);
    this.#batch.handOvers.push(handOver);
    this.#schedule();
  }

  /** Whether `to` may be given work by `from` in this commit: `from` must have got nothing that came from `to`. */
  mayHandOver(from: CommitMember, to: CommitMember): boolean {
    return !this.#handOvers.reaches(to, from, this.#units);
  }

  /** Whether all that `member` holds or has seen was committed. */
  isSettled(member: CommitMember & { readonly dirty: boolean }): boolean {
    return !member.dirty && !this.#units.has(member);
  }

  /** Calls back when all that `owner` published so far is durable, or lost; with null, when all of the partition is settled. */
  settled(owner: Owner, callback: OnDurable): void {
    if (this.#ended !== undefined) {
      callback(this.#ended);
      return;
    }
    this.#batch.waiting.push({ owner, tell: callback });
    this.#schedule();
  }

  /** Resolves when all that `owner` published so far is durable. */
  durable(owner: Owner): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settled(owner, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /**
   * Commits now instead of at the end of the window.
   * @throws EdgeverseError `UNAVAILABLE` when the storage refuses
   */
  flush(): void {
    if (this.#scheduled !== undefined) this.#commit();
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** Ends it for good and forgets what was to be written: the partition starts over from the database. */
  discard(error: EdgeverseError): void {
    this.#ended = error;
    this.#scheduled = undefined;
    this.#take().tell(error);
  }

  #schedule(): void {
    if (this.#scheduled !== undefined) return;
    // The token tells whether this commit was made early, and another one is due.
    const scheduled = {};
    this.#scheduled = scheduled;
    this.#parts.clock.soon(() => {
      if (this.#scheduled === scheduled) this.#commit();
    });
  }

  #commit(): void {
    for (const prepare of this.#prepares) prepare();
    this.#scheduled = undefined;
    const { storage } = this.#parts;
    const units = this.#units;
    const batch = this.#take();
    const own = this.#own;
    this.#own = [];
    this.stats.commits++;
    this.stats.joined += batch.waiting.length;
    let stored = batch;
    try {
      if (batch.isEmpty) storage.query("SELECT 1 FROM meta LIMIT 1");
      else if (this.#store(batch) !== undefined) stored = this.#salvage(batch, units);
    } catch (cause) {
      const error = refusal(storage, cause);
      batch.tell(error);
      stored = new CommitBatch();
    } finally {
      units.dispose();
    }
    try {
      if (own.length > 0) storage.transaction(() => runs.store(own));
    } catch (cause) {
      this.#fail(stored, cause);
      return;
    }
    storage.barrier().then(
      () => stored.tell(undefined),
      (cause: unknown) => this.#fail(stored, cause),
    );
  }

  /** Commits what it can of a batch that failed, and refuses the rest. */
  #salvage(batch: CommitBatch, all: CommitUnits): CommitBatch {
    this.stats.failures++;
    const { stored, refused } = salvage(batch, all, {
      store: (some) => this.#store(some),
      refusal: (cause) => refusal(this.#parts.storage, cause),
    });
    // All of them are known before anything else happens: what runs next must see none of their work.
    const members = new Map<CommitMember, EdgeverseError>();
    for (const { unit, error } of refused) {
      for (const object of unit.objects) written(object);
      for (const member of unit.members(all)) members.set(member, error);
    }
    for (const { to, onRefused } of batch.handOvers) if (members.has(to)) onRefused();
    const tell = () => {
      for (const { unit, error } of refused) unit.tell(error);
    };
    if (refused.length > 0) this.#parts.onRefused(members, tell);
    return CommitBatch.union(stored);
  }

  /** Ends the partition's core: what is in memory may differ from the database. */
  #fail(batch: CommitBatch, cause: unknown): void {
    this.stats.failures++;
    const error = new EdgeverseError("UNAVAILABLE", "Cannot commit: the storage refused the write", { cause });
    try {
      this.#parts.onFailure(error);
    } finally {
      batch.tell(error);
    }
  }

  /** Writes a batch in one transaction; says why if nothing of it was stored. */
  #store(batch: CommitBatch): { readonly cause: unknown } | undefined {
    const { storage, changes } = this.#parts;
    const undo = changes.checkpoint();
    let stored: () => void;
    try {
      stored = storage.transaction(() => {
        this.#objects.store(batch.objects);
        const rowsStored = batch.storeRows();
        changes.save();
        return rowsStored;
      });
    } catch (cause) {
      undo();
      return { cause };
    }
    stored();
    for (const object of batch.objects) written(object);
    this.#parts.onStored?.(batch.objects);
    return undefined;
  }

  #take(): CommitBatch {
    const batch = this.#batch;
    this.#batch = new CommitBatch();
    this.#units = new CommitUnits();
    this.#handOvers = new HandOvers();
    return batch;
  }
}

function written(object: UnsavedObject): void {
  object.dirty = false;
  object.wiped = false;
  object.rows = undefined;
}
