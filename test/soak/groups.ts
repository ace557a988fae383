/** What each account begins with. */
export const START = 100;
/** Accounts of a group, which are on one shard. */
export const MEMBERS = 5;

export const membersOf = (group: string) => Array.from({ length: MEMBERS }, (_, n) => `${group}:${n}`);
