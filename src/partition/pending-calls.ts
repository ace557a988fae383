import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { objectKey } from "../object/message.ts";
import type { Registry, TypeDefinition } from "../object/registry.ts";
import type { CallDecision } from "../router/ports.ts";
import type { WaitingCall } from "./calls/call-entry.ts";
import { GIVEN_UP } from "./calls/call-replies.ts";
import type { CallTable } from "./calls/call-table.ts";
import type { ReliableCalls } from "./calls/reliable-calls.ts";
import type { ScheduledCalls } from "./reminders/scheduled-calls.ts";
import type { Owned, Ownership } from "./storage/ownership.ts";
import { callName, type ReminderPlace } from "./storage/reminder-rows.ts";
import type { HashRange } from "./storage/shard-rows.ts";
import type { StoredCall } from "./storage/stored-call.ts";
import type { Observer } from "./turns/ports.ts";
import type { TurnActivation } from "./turns/turn.ts";

interface Parts {
  readonly registry: Registry;
  readonly ownership: Ownership;
  readonly table: CallTable;
  readonly reliable: ReliableCalls;
  readonly scheduled: ScheduledCalls;
  readonly observer: Observer;
  readonly now: () => number;
  readonly open: (definition: TypeDefinition, id: string, owned: Owned) => TurnActivation;
  readonly barrier: () => Promise<void>;
  /** The log is to hear of something. */
  readonly onProgress: () => void;
}

/** Takes up calls that were accepted before and have not ended, and parked ones when an operator says so. */
export class PendingCalls {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Goes on with the calls between two places in hash order, all without a range ([CALL3]). Reads no request: each is read
   * when the call's turn comes. `crashed`: the process that had the calls ended by itself.
   */
  resume(crashed: boolean, range?: HashRange): void {
    const { table, ownership, reliable } = this.#parts;
    for (const stored of table.pending(range)) {
      if (ownership.epochAt(stored.position) === undefined) continue;
      if (stored.record.status === "parked") reliable.setAside(stored);
      else this.#take(stored, crashed);
    }
  }

  /** Puts a parked call at the end of its object's line. */
  async unpark(type: string, id: string, callId: string): Promise<CallDecision> {
    const found = this.#find(type, id, callId);
    if (found === null || !("record" in found)) return found;
    if (found.record.status !== "parked") return { refused: `the call is ${found.record.status}` };
    const { table, reliable, barrier, onProgress } = this.#parts;
    const { attempts } = found.record;
    // One more attempt, so that the log takes it for newer than the parked call.
    const back = { ...found.record, status: "pending", error: null, attempts: attempts + 1 } as const;
    const call = table.noted({ ...found, seq: table.nextSeq(), crashes: 0, record: back }, "unparked");
    const { record } = call;
    table.now(() => table.update(call));
    await barrier();
    if (reliable.isAside(record)) {
      reliable.return(record);
      this.#take({ ...call, bytes: record.request?.length ?? 0 }, false);
      onProgress();
    }
    return { ...record, request: null };
  }

  /** Ends a call that is parked, or that does not run now, as failed. */
  async fail(type: string, id: string, callId: string): Promise<CallDecision> {
    const found = this.#find(type, id, callId);
    if (found === null || !("record" in found)) return found;
    const { table, reliable, barrier, onProgress, now } = this.#parts;
    const { record } = found;
    const ended = { ...record, status: "failed", error: GIVEN_UP, finishedAt: now() } as const;
    if (reliable.isAside(record)) {
      const call = { ...found, logged: !table.logsFirst(found), accepted: true, record: ended };
      table.now(() => table.finish([table.noted(call, "ended")]));
      reliable.return(record);
      onProgress();
      await barrier();
      return { ...ended, request: null };
    }
    if (await reliable.fail(record, GIVEN_UP)) return { ...ended, request: null };
    return { refused: record.status === "pending" ? "the call runs" : `the call is ${record.status}` };
  }

  /** Lets go of a call that waits for its time ([TIME8]), if it is the one of this fingerprint. */
  async cancel(type: string, id: string, callId: string, requestHash: string): Promise<CallDecision> {
    const owned = this.#locate(type, id);
    if ("movedTo" in owned) return owned;
    const { table, reliable, scheduled } = this.#parts;
    const known = table.find(owned.position, type, id, callId);
    if (known !== undefined) return { refused: `the call is ${known.record.status}` };
    if (reliable.underWay({ type, id, callId }) !== undefined) return { refused: "the call is pending" };
    const place: ReminderPlace = [owned.position, type, id, callName(callId)];
    const record = scheduled.record(place, owned);
    if (record?.requestHash !== requestHash) return null;
    await scheduled.cancel(place);
    return record;
  }

  #find(type: string, id: string, callId: string): StoredCall | null | { readonly movedTo: string } {
    const owned = this.#locate(type, id);
    return "movedTo" in owned ? owned : (this.#parts.table.find(owned.position, type, id, callId) ?? null);
  }

  #locate(type: string, id: string): Owned | { readonly movedTo: string } {
    const { registry, ownership, now } = this.#parts;
    const located = ownership.locate(registry.placement(type, id), now());
    if (located.kind === "gated") {
      throw new EdgeverseError("UNAVAILABLE", "The object is about to move to another partition", { retryAfter: 1 });
    }
    return located.kind === "moved" ? { movedTo: located.partition } : located;
  }

  #take(stored: WaitingCall, crashed: boolean): void {
    const { registry, ownership, table, reliable, observer, now, open } = this.#parts;
    const { record } = stored;
    try {
      const definition = registry.type(record.type);
      const method = registry.method(definition, record.method);
      const located = ownership.locate(registry.placement(record.type, record.id), now());
      const owned = located.kind === "gated" ? located.owned : located;
      if (owned === undefined || owned.kind === "moved") return;
      const call = crashed ? table.noted(stored, "crashed") : stored;
      reliable.resume(call, open(definition, record.id, owned), method, crashed);
    } catch (error) {
      reliable.setAside(stored);
      observer.warn("a pending call can't be resumed", {
        key: objectKey(record.type, record.id),
        callId: record.callId,
        error,
      });
    }
  }
}
