import type { Clock } from "../../platform/ports.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Deadlines } from "../turns/deadlines.ts";
import type { Observer } from "../turns/ports.ts";
import type { EventTable } from "./event-table.ts";

/** What events on their way need of their partition. */
export interface EventStreamParts {
  readonly table: EventTable;
  readonly commit: GroupCommit;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly observer: Observer;
  readonly config: { readonly events: number };
  /** Whether the events of a position are this process's to send. */
  readonly mine: (position: number) => boolean;
  /** Asks to be woken at `time`, should this process have ended. */
  readonly wakeBy: (time: number) => void;
}
