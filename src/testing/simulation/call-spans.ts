import type { SimDisk } from "./sim-storage.ts";
import type { World } from "./world.ts";

interface Span {
  /** Numbers of the events in which it was first seen in a table, and first seen with its outcome. */
  readonly accepted: number;
  finished: number | undefined;
}

/**
 * When reliable calls were accepted and when they ended, by the one clock that all machines share here. `seq`, their order
 * of acceptance, holds among calls that are open at once; against one that has ended it says nothing: the clock of the
 * next owner may be behind.
 */
export class CallSpans {
  readonly #spans = new Map<string, Span>();

  /** Looks at tables that were written. To be called after every event. */
  observe({ partitions, time }: World): void {
    for (const { disk } of partitions) {
      const written = [disk.written.delete("pending"), disk.written.delete("marks")];
      if (!written.includes(true)) continue;
      for (const { key, finished } of callsOf(disk)) {
        const span = this.#spans.get(key) ?? { accepted: time.events, finished: undefined };
        if (finished) span.finished ??= time.events;
        this.#spans.set(key, span);
      }
    }
  }

  /** Whether the one had ended before the other, which has another `seq`, was accepted. */
  apart(one: { callId: string; seq: number }, other: { callId: string; seq: number }): boolean {
    const end = this.#spans.get(keyOf(one.callId, one.seq))?.finished ?? Number.POSITIVE_INFINITY;
    // Both in one event: one owner took both, and its own clock orders them.
    return end < (this.#spans.get(keyOf(other.callId, other.seq))?.accepted ?? 0);
  }
}

function callsOf(disk: SimDisk): { key: string; finished: boolean }[] {
  // A partition that has not begun has no tables.
  if (disk.query("SELECT 1 FROM sqlite_master WHERE name = 'calls'").length === 0) return [];
  return disk
    .query<{ call_id: string; seq: number; status: string }>("SELECT call_id, seq, status FROM calls")
    .map(({ call_id: callId, seq, status }) => ({ key: keyOf(callId, seq), finished: status !== "pending" }));
}

function keyOf(callId: string, seq: number): string {
  return `${callId} ${seq}`;
}
