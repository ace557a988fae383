import type { Group } from "../group.ts";
import { batchGroup } from "./batch.ts";
import { callGroup } from "./call.ts";
import { coldGroup } from "./cold.ts";
import { hostMemoryGroup } from "./host-memory.ts";
import { memoryGroup } from "./memory.ts";
import { movesGroup } from "./moves.ts";
import { neighbourGroup } from "./neighbours.ts";
import { outboxGroup } from "./outbox.ts";
import { readGroup } from "./read.ts";
import { reliableGroup } from "./reliable.ts";
import { transactionGroup } from "./transactions.ts";

/** In the order they run. */
export const groups: readonly Group[] = [
  callGroup(32),
  callGroup(128),
  batchGroup,
  readGroup,
  neighbourGroup,
  transactionGroup,
  outboxGroup,
  reliableGroup(32),
  reliableGroup(128),
  memoryGroup,
  hostMemoryGroup,
  movesGroup(100),
  movesGroup(10_000),
  movesGroup(100_000),
  coldGroup,
];
