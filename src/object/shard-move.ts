/** A shard about to move, as a type hears of it. */
export interface ShardMove {
  readonly shard: number;
  readonly from: string;
  readonly to: string;
}

/** What a type says to a move of a shard that holds objects of it: nothing against it, never, or not now. */
export type MoveVote = "allow" | "veto" | { readonly delay: string } | undefined;
