import type { AccessRule } from "edgeverse";

/** Every client may do everything: for tests of something else. */
export const OPEN: readonly AccessRule[] = [
  { type: "*", access: "ALLOW", anonymous: true },
  { type: "*", lifecycle: "ALL", access: "ALLOW", anonymous: true },
];
