import type { CallMessage, Reply } from "../../object/message.ts";
import type { Random } from "../../platform/ports.ts";
import type { CallStatus } from "../../reliable/call-record.ts";
import type { OwnedRow } from "../storage/commit-batch.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Deadlines } from "../turns/deadlines.ts";
import type { Observer } from "../turns/ports.ts";
import type { ReminderOwner, ReminderTable } from "./reminder-table.ts";

/** What reminders need of their partition. */
export interface ReminderParts {
  readonly table: ReminderTable;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly observer: Observer;
  readonly random: Random;
  readonly now: () => number;
  readonly config: { readonly reminders: number; readonly retention: number };
  readonly shardAt: (position: number) => number;
  /** Whether the shard of a position is served here. */
  readonly served: (position: number) => boolean;
  /** Takes the call of a reminder, and stores `alongside` in the same commit. */
  readonly take: (message: CallMessage, alongside: OwnedRow) => Promise<Reply>;
  /** What became of a reliable call of an object; undefined for one that is not known. */
  readonly statusOf: (owner: ReminderOwner, callId: string) => CallStatus | undefined;
  /** Asks to be woken at `time`, should this process have ended. */
  readonly wakeBy: (time: number) => void;
}
