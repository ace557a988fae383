import type { StoredValue } from "../object/object-index.ts";

/** Where an object stands in an index: by value, then by id. */
export type IndexPlace = readonly [...StoredValue, id: string];

/** What of an index is asked for: of values of one rank, `from` inclusive, `to` exclusive; without a rank all of it. */
export interface IndexRange {
  readonly rank?: number;
  readonly value?: number | string;
  readonly from?: number | string;
  readonly to?: number | string;
}

/** A question to one partition. */
export interface IndexQuery {
  readonly type: string;
  readonly index: string;
  /** That of the type's indexes, where the query is asked: a partition with other code has others. */
  readonly version: string;
  readonly range: IndexRange;
  readonly descending: boolean;
  /** Only what stands behind this place. */
  readonly after?: IndexPlace | undefined;
  readonly limit: number;
  /** Only this object: its caller may find no other. */
  readonly own?: OwnObject;
}

/** An object, and its position in hash order. */
export interface OwnObject {
  readonly id: string;
  readonly position: number;
}

/** What a partition says of when its shards changed hands: then objects may be missing in its answer, or be in two. */
export interface Settled {
  /** Ms since a shard came or left; null if none has. */
  readonly changed: number | null;
  /** A shard may have left its owner, and is not served here yet. */
  readonly waiting: boolean;
}

export type IndexPage =
  | {
      readonly kind: "page";
      readonly places: IndexPlace[];
      /** Where to go on; it may come with an empty page. */
      readonly next: IndexPlace | null;
      readonly settled: Settled;
    }
  /** The type's indexes are being built, or soon: the partition has other code ([IDX4]). */
  | { readonly kind: "building" };
