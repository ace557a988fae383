/**
 * Seeds that once broke a promise, by what was wrong. They are lived through again whatever the number of seeds. A seed tells
 * another story when the schedules change: then these are found anew, or planted (see planted-bugs.ts), or left out.
 */
export const REGRESSIONS: Readonly<Record<string, readonly number[]>> = {
  "a write that fails in passing, beside one that can't be stored, is refused": [5303],
  "a reminder whose call sets another is called again and again at once while the disk is full": [310, 316],
  "events of a shard that came are sent after those that are made here": [1419],
  "a gate that slept takes a change that comes late, and shows an older state": [937],
};
