/** Seeds that once broke a promise, by what was wrong. They are lived through again whatever the number of seeds. */
export const REGRESSIONS: Readonly<Record<string, readonly number[]>> = {
  "a late, empty message of the copy takes a target that is ready back to incoming, after the commit": [469, 940, 1372],
  "a target ships pending calls it has only a copy of, and the log takes nothing older any more": [
    262, 306, 460, 557, 1323,
  ],
  "halving counts anew while a move that was under way has parted a pair": [556],
  "halving follows a doubling and finds pairs with different owners": [742],
  "the coordinator plans in an endless loop while planned moves wait": [2332],
  "a partition that starts anew while a shard comes in numbers its changes NaN, and no commit goes through": [
    1061, 1749, 2139, 2301,
  ],
  "a crash after the alarm's work, before that was durable, leaves open calls and no alarm": [113272],
  "a late order to count shards anew undoes a newer one": [242230],
  "the map gives shards of a doubling to others than those they come from": [242702, 243549],
  "a process that has been replaced says that it has counted the shards anew": [148245],
};
