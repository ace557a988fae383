import type { CallMessage, Reply } from "../../object/message.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import type { LogGate } from "../../reliable/log-gate.ts";
import type { OwnedRow } from "../storage/commit-batch.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Activations } from "../turns/activations.ts";
import type { Deadlines } from "../turns/deadlines.ts";
import type { TurnActivation } from "../turns/turn.ts";
import type { TurnEngine } from "../turns/turn-engine.ts";
import type { CallShipping } from "./call-shipping.ts";
import type { CallTable } from "./call-table.ts";
import type { RunningRequests } from "./running-requests.ts";

/** What reliable calls at their owner are made of. */
export interface ReliableCallParts {
  readonly table: CallTable;
  readonly engine: TurnEngine;
  readonly activations: Activations;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly requests: RunningRequests;
  readonly now: () => number;
  /** Makes a response a text. */
  readonly encode: (value: unknown) => string;
  /** The shard of a position in hash order. */
  readonly shardAt: (position: number) => number;
  /** Whether one of these objects is on the shard. */
  readonly inside: (keys: Iterable<string>) => boolean;
  /** Undefined when the log is local. */
  readonly gate: LogGate | undefined;
  readonly shipping: CallShipping | undefined;
  readonly config: {
    readonly callTimeout: number;
    readonly retention: number;
    readonly logBacklog: number;
    readonly maxAttempts: number;
    readonly maxCrashes: number;
    readonly partitionMailbox: number;
  };
  /** What becomes of a call that waits, or is to wait, for its time: the answer, or what to commit with the call. A new one is charged. */
  readonly scheduled: (
    message: CallMessage,
    activation: TurnActivation,
    print: string,
    charge: (() => void) | undefined,
  ) => Promise<Reply> | OwnedRow | undefined;
  /** A call was parked: an operator should hear of it. */
  readonly onParked: (record: CallRecord) => void;
  /** A commit is about to store acceptances or outcomes. */
  readonly onProgress: () => void;
}
