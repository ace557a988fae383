import type { AsyncScope, Clock, SqlStorage } from "../../platform/ports.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Activations } from "./activations.ts";
import type { Deadlines } from "./deadlines.ts";
import type { LoadMeter } from "./load-meter.ts";
import type { Observer } from "./ports.ts";
import type { Turn, TurnServices } from "./turn.ts";

/** What runs turns is made of. */
export interface TurnEngineParts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly scope: AsyncScope<Turn>;
  readonly activations: Activations;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly meter: LoadMeter;
  readonly observer: Observer;
  readonly services: TurnServices;
  readonly limits: { readonly mailbox: number; readonly partitionMailbox: number; readonly maxState: number };
}
