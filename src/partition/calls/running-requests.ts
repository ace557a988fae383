import { type MemoryBudget, weightOfCall } from "../turns/memory-budget.ts";
import type { Entry } from "./call-entry.ts";

/**
 * Counts in the memory budget the requests of reliable calls whose turns wait or run ([TURN8]). One whose caller waits is
 * counted by the caller. None is refused here: they are accepted, and those that come later are refused instead.
 */
export class RunningRequests {
  readonly #memory: Pick<MemoryBudget, "add" | "free">;

  constructor(memory: Pick<MemoryBudget, "add" | "free">) {
    this.#memory = memory;
  }

  /** Its turn has its request from now on. */
  started(entry: Entry): void {
    entry.counted = 0;
    this.callerLeft(entry);
  }

  callerLeft(entry: Entry): void {
    if (entry.counted !== 0 || entry.waiters.size > 0) return;
    entry.counted = weightOfCall(entry.stored.record.request ?? undefined);
    this.#memory.add(entry.counted);
  }

  ended(entry: Entry): void {
    this.#memory.free(entry.counted ?? 0);
    entry.counted = undefined;
  }
}
