import type { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CommitMember, CommitUnit, CommitUnits } from "./commit-unit.ts";
import type { UnsavedObject } from "./unsaved-object.ts";

/** Told whether the commit it waited for is durable: undefined, or why not. */
export type OnDurable = (error: EdgeverseError | undefined) => void;

/** Whose write it is: an object's, or (null) the partition's own. */
export type Owner = CommitMember | null;

/**
 * Rows of many objects that few statements can write. `store` runs in the transaction, and again with fewer rows if that
 * fails: it must have no effect but its statements.
 */
export interface BulkWrite<Row> {
  store(rows: readonly Row[]): void;
  /** The transaction has taken them. */
  stored?(rows: readonly Row[]): void;
}

/** A row that waits for the commit that it belongs to. */
export interface OwnedRow {
  readonly bulk: BulkWrite<never>;
  readonly row: unknown;
}

/** Work that one member has handed over to another, who has done or taken it in the same commit. */
export interface HandOver {
  readonly from: CommitMember;
  readonly to: CommitMember;
  /** What is stored with `from` when `to` may not be stored with it: then it is handed over again. */
  readonly instead: OwnedRow;
  /** That row was stored. */
  readonly onInstead: () => void;
  /** What `to` did was not stored, and nobody was told yet. */
  readonly onRefused: () => void;
}

interface BulkRow extends OwnedRow {
  readonly owner: CommitMember;
}

/** What one commit writes, and who waits for it. */
export class CommitBatch {
  objects: UnsavedObject[] = [];
  rows: BulkRow[] = [];
  waiting: { readonly owner: Owner; readonly tell: OnDurable }[] = [];
  /** What its members have handed over to others, who did it at once. */
  handOvers: HandOver[] = [];

  get isEmpty(): boolean {
    return this.objects.length === 0 && this.rows.length === 0;
  }

  /** Stores the rows, each kind in one go. Gives what to do once the transaction has taken them. */
  storeRows(): () => void {
    const kinds = new Map<BulkWrite<never>, unknown[]>();
    for (const { bulk, row } of this.rows) {
      const rows = kinds.get(bulk);
      if (rows === undefined) kinds.set(bulk, [row]);
      else rows.push(row);
    }
    for (const [bulk, rows] of kinds) bulk.store(rows as never[]);
    return () => {
      for (const [bulk, rows] of kinds) bulk.stored?.(rows as never[]);
    };
  }

  /** Tells those who wait, also when one of them throws. */
  tell(error: EdgeverseError | undefined): void {
    for (const { tell } of this.waiting) {
      try {
        tell(error);
      } catch (bug) {
        queueMicrotask(() => {
          throw bug;
        });
      }
    }
  }

  /** One batch for each unit. Who waits for the partition itself is in the batch `rest`. */
  split(all: CommitUnits): { units: Map<CommitUnit, CommitBatch>; rest: CommitBatch } {
    const units = new Map<CommitUnit, CommitBatch>();
    const rest = new CommitBatch();
    const batchOf = (owner: Owner) => {
      if (owner === null) return rest;
      const unit = all.of(owner);
      const batch = units.get(unit) ?? new CommitBatch();
      units.set(unit, batch);
      return batch;
    };
    for (const object of this.objects) batchOf(object).objects.push(object);
    for (const row of this.rows) batchOf(row.owner).rows.push(row);
    for (const waiting of this.waiting) batchOf(waiting.owner).waiting.push(waiting);
    for (const handOver of this.handOvers) batchOf(handOver.from).handOvers.push(handOver);
    return { units, rest };
  }

  static union(batches: readonly CommitBatch[]): CommitBatch {
    const union = new CommitBatch();
    union.objects = batches.flatMap(({ objects }) => objects);
    union.rows = batches.flatMap(({ rows }) => rows);
    union.waiting = batches.flatMap(({ waiting }) => waiting);
    union.handOvers = batches.flatMap(({ handOvers }) => handOvers);
    return union;
  }

  /** Every member of the units that the batch is for. */
  members(all: CommitUnits): Set<CommitMember> {
    const members = new Set<CommitMember>();
    const add = (owner: Owner) => {
      if (owner !== null) for (const member of all.of(owner).members) members.add(member);
    };
    for (const object of this.objects) add(object);
    for (const { owner } of this.rows) add(owner);
    for (const { owner } of this.waiting) add(owner);
    for (const { from } of this.handOvers) add(from);
    return members;
  }
}
