/** The position of objects fixed to a partition: outside every shard, so no move touches them. */
export const FIXED_POSITION = -1;

/**
 * Position of a hash in hash order: its 32 bits in reverse order, unsigned.
 *
 * A shard is the *low* bits of the hash (`hash mod N`, N = 2^k), so with the bits reversed every shard is one contiguous
 * range of positions, for every N at once. Rows clustered by position can therefore be scanned, counted and
 * moved shard by shard with a range query, and doubling N relabels them without touching one.
 */
export function positionOf(hash: number): number {
  let bits = hash;
  bits = ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1);
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
  bits = ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4);
  bits = ((bits >>> 8) & 0x00ff00ff) | ((bits & 0x00ff00ff) << 8);
  return ((bits >>> 16) | (bits << 16)) >>> 0;
}

/** First and last position of `shard` among `shards` (a power of two), both inclusive. */
export function hashRange(shard: number, shards: number): { first: number; last: number } {
  const first = positionOf(shard);
  return { first, last: first + 2 ** 32 / shards - 1 };
}
