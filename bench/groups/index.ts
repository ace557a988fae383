import type { Group } from "../group.ts";
import { batchGroup } from "./batch.ts";
import { callGroup } from "./call.ts";
import { coldGroup } from "./cold.ts";
import { memoryGroup } from "./memory.ts";
import { neighbourGroup } from "./neighbours.ts";
import { readGroup } from "./read.ts";
import { reliableGroup } from "./reliable.ts";

/** In the order they run. */
export const groups: readonly Group[] = [
  callGroup(32),
  callGroup(128),
  batchGroup,
  readGroup,
  neighbourGroup,
  reliableGroup(32),
  reliableGroup(128),
  memoryGroup,
  coldGroup,
];
