/** One move of one shard, as the coordinator orders it. Plain data: it crosses every boundary. */
export interface MoveOrder {
  /** Grows with every move of the cluster; an order with a smaller one than a partition has seen for the shard is stale. */
  readonly id: number;
  readonly shard: number;
  /** The shard count the order is meant for. */
  readonly shards: number;
  readonly from: string;
  readonly to: string;
  /** Version of the map the move was decided on. */
  readonly mapVersion: number;
  /** The move must happen: it waits for turns however long they take. Other moves give up when turns do not end soon. */
  readonly must?: boolean;
}

/** Where the source of a move stands, as it tells the coordinator. */
export type MoveReport =
  | { readonly kind: "copying"; readonly rows: number; readonly bytes: number }
  /** A turn does not end, or the target does not answer: tried again. */
  | {
      readonly kind: "waiting";
      readonly reason: string;
      readonly rows: number;
      readonly bytes: number;
      /** For turns: the move is not stalled, it takes as long as they do. */
      readonly forTurns?: true;
    }
  | {
      readonly kind: "committed";
      readonly epoch: number;
      readonly active: boolean;
      readonly rows: number;
      readonly bytes: number;
      /** Ms that callers of the shard were stopped; absent when it was not measured. */
      readonly paused?: number;
    }
  /** It will not happen: undo it. */
  | { readonly kind: "refused"; readonly reason: string; readonly delay?: number };

/** The answer to an order to undo a move: the source alone decides ([MIG4]). */
export type UndoReport =
  | { readonly kind: "undone"; readonly epoch: number }
  | { readonly kind: "committed"; readonly epoch: number };

/** Where a copy stands: the last row of the first pass, then the last change after it. */
export interface CopyCursor {
  /** Null once the first pass is through. */
  readonly scan: RowKey | null;
  /** Number of the last change that was sent. */
  readonly change: number;
}

/** Objects, their store rows, their calls, what they have to send, their reminders, their events. */
export type RowKind = 0 | 1 | 2 | 3 | 4 | 5;

/** Place of a row in the order of the first pass. `key` is empty for an object, else the row's key, the call's id, the message's or the event's
 * number, or the reminder's name. */
export interface RowKey {
  readonly kind: RowKind;
  readonly position: number;
  readonly type: string;
  readonly id: string;
  readonly key: string;
}

/** One row on its way; `values` are the columns after the row's key, or null when the row is gone. */
export interface MovedRow extends RowKey {
  readonly values: readonly (string | number | null)[] | null;
  /** All store rows of the object go first: it was deleted meanwhile. */
  readonly wipe?: true;
}

/** A multiset hash of rows and their number: equal on both sides when the copy is whole. */
export interface CopyDigest {
  readonly rows: number;
  readonly high: number;
  readonly low: number;
}

/** Rows from the source of a move to its target. */
export interface TransferChunk {
  readonly order: MoveOrder;
  /** Epoch the shard will have at the target. */
  readonly epoch: number;
  /** The cursor that the source expects at the target; null starts over. */
  readonly from: CopyCursor | null;
  readonly rows: readonly MovedRow[];
  readonly to: CopyCursor;
  /** Nothing follows: compare, and stand ready. */
  readonly final?: CopyDigest;
}

export type TransferReply =
  | { readonly kind: "stored"; readonly cursor: CopyCursor; readonly ready: boolean }
  /** The chunk does not follow what is there: go on from `cursor`. */
  | { readonly kind: "elsewhere"; readonly cursor: CopyCursor | null }
  /** Try later: the target still removes old rows of the shard. */
  | { readonly kind: "busy"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string };

export type ActivateReply = { readonly kind: "active" } | { readonly kind: "refused"; readonly reason: string };

/** What the source of a move answers a target that asks. */
export type MoveInquiry = { readonly kind: "committed" } | { readonly kind: "serving" };

/** What became of an order to count shards anew. */
export type ReshardReply =
  | { readonly kind: "done" }
  /** Not while a shard is on its way, or two that would be one have different owners. */
  | { readonly kind: "refused"; readonly reason: string };
