import type { Group } from "../group.ts";
import { accessGroup } from "./access.ts";
import { batchGroup } from "./batch.ts";
import { callGroup } from "./call.ts";
import { coldGroup } from "./cold.ts";
import { eventGroup } from "./events.ts";
import { hostMemoryGroup } from "./host-memory.ts";
import { indexGroup } from "./indexes.ts";
import { memoryGroup } from "./memory.ts";
import { movesGroup } from "./moves.ts";
import { neighbourGroup } from "./neighbours.ts";
import { outboxGroup } from "./outbox.ts";
import { fanOutGroup, socketCallGroup } from "./push.ts";
import { readGroup } from "./read.ts";
import { reliableGroup } from "./reliable.ts";
import { remindersGroup } from "./reminders.ts";
import { socketsGroup } from "./sockets.ts";
import { transactionGroup } from "./transactions.ts";

/** In the order they run. */
export const groups: readonly Group[] = [
  callGroup(32),
  callGroup(128),
  batchGroup,
  readGroup,
  neighbourGroup,
  transactionGroup,
  indexGroup,
  outboxGroup,
  eventGroup,
  accessGroup,
  fanOutGroup(100),
  fanOutGroup(1_000),
  socketCallGroup,
  reliableGroup(32),
  reliableGroup(128),
  remindersGroup,
  memoryGroup,
  socketsGroup,
  hostMemoryGroup,
  movesGroup(100),
  movesGroup(10_000),
  movesGroup(100_000),
  coldGroup,
];
