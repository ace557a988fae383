import { availableParallelism } from "node:os";

/**
 * Files that run at once. One more than there are cores, since many wait: for workerd, for npm, for what happens later.
 * vitest's own number is one less than there are cores, which leaves half of a machine of two idle.
 */
export const maxWorkers = availableParallelism() + 1;
