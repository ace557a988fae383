import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CallMessage } from "../../src/object/message.ts";
import { CallTable } from "../../src/partition/calls/call-table.ts";
import type { ReliableCallParts } from "../../src/partition/calls/reliable-call-parts.ts";
import { RunningRequests } from "../../src/partition/calls/running-requests.ts";
import { Deadlines } from "../../src/partition/turns/deadlines.ts";
import { LogGate } from "../../src/reliable/log-gate.ts";
import type { MemoryCallLog } from "../../src/testing/memory-call-log.ts";
import { groupCommit } from "./commit-fixture.ts";

export const ROOM = 3;
export const BYTES = 10_000;
/** What callers of a partition meet, without the engine that runs their calls. */
export function callers(log?: MemoryCallLog) {
  const { storage, clock, changes, commit } = groupCommit();
  const now = () => clock.now();
  const logs = log !== undefined;
  const table = new CallTable(storage, { name: "p0", now, shardAt: () => 1, changes, fence: () => {}, logs });
  const held = { bytes: 0 };
  const memory = {
    add: (bytes: number) => {
      held.bytes += bytes;
    },
    free: () => {},
  };
  const engine = {
    room: true,
    cycle: undefined as string[] | undefined,
    checkRoom: () => {
      if (!engine.room) throw new EdgeverseError("OVERLOADED", "full");
    },
    waits: { chainClosesCycle: () => engine.cycle },
  };
  const parts = {
    table,
    engine,
    commit,
    deadlines: new Deadlines(clock),
    requests: new RunningRequests(memory),
    now,
    gate: log === undefined ? undefined : new LogGate(log, clock, async () => {}),
    config: { partitionMailbox: ROOM, retention: 1_000_000, logBacklog: BYTES },
  } as unknown as ReliableCallParts;
  return { storage, clock, table, engine, held, parts, commit };
}

export const message = (changes: Partial<CallMessage> = {}): CallMessage => ({
  type: "T",
  id: "a",
  method: "m",
  deadline: 1_500,
  requestId: "r",
  caller: { kind: "system" },
  reliable: { callId: "c", answer: "outcome" },
  ...changes,
});
