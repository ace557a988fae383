import { availableParallelism } from "node:os";

/**
 * Files that run at once: as many as there are cores. vitest's own number is one less, which leaves half of a machine of
 * two idle. More would make tests fail that wait, for workerd or for npm, within a time.
 */
export const maxWorkers = availableParallelism();
