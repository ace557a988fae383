import { FIXED_POSITION } from "../../identity/hash-order.ts";
import type { SqlRow } from "../../platform/ports.ts";
import type { CallKey } from "../../reliable/call-record.ts";
import {
  type CausedCall,
  type CausedCalls,
  causeOf,
  mergedCalls,
  nameOfCall,
  shortCall,
} from "../../reliable/caused-calls.ts";
import { AMONG_CALLS, type CallRow, fromRow } from "../storage/call-rows.ts";
import type { CallPlace } from "../storage/stored-call.ts";
import { KEYS, type KeyRow, type MarkWalkParts, walkMarks } from "./mark-walk.ts";

interface Parts extends MarkWalkParts {
  /** Whether calls at a position are this partition's. */
  readonly owned: (position: number) => boolean;
  readonly shardAt: (position: number) => number;
  /** Whether marks say who called: they do where they are the log's rows ([CALL14]). */
  readonly whole: boolean;
}

interface CauseRow extends KeyRow {
  caller: string | null;
}

/** The caller, where it names a cause: others need not be read. */
const CALLER = `${KEYS}, iif(instr(caller, '"cause":') > 0, caller, NULL) AS caller`;

/**
 * The calls of a partition that others have made. Nothing is kept for this: a call says in its caller what made it, and whoever
 * asks pays, as for a list of the local log.
 */
export class CausedList {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async of(causes: readonly CallKey[], limit: number): Promise<CausedCalls> {
    const { storage, owned, whole } = this.#parts;
    const names = new Set(causes.map(nameOfCall));
    const places: CallPlace[] = [];
    const visit = ({ position, type, id, call_id, caller }: CauseRow) => {
      const cause = places.length <= limit ? causeOf(caller) : undefined;
      if (cause !== undefined && names.has(nameOfCall(cause)) && owned(position))
        places.push([position, type, id, call_id]);
    };
    storage.query<CauseRow>(`SELECT ${CALLER} FROM pending`).forEach(visit);
    const start: CallPlace = [FIXED_POSITION, "", "", ""];
    const walk = { columns: CALLER, after: start, last: 2 ** 32, visit };
    const complete = !whole || (await walkMarks<CauseRow>(this.#parts, walk));
    const found = mergedCalls([this.#calls(places)], limit);
    return { calls: found.calls, complete: complete && found.complete };
  }

  #calls(places: readonly CallPlace[]): CausedCall[] {
    const { storage, shardAt } = this.#parts;
    const columns = `${KEYS}, seq, method, NULL AS request, request_hash, status, NULL AS response, error, caller, trace_id,
      attempts, epoch, accepted, finished, expires, log, crashes, shipped, open, NULL AS history`;
    return storage
      .query<CallRow & SqlRow>(`SELECT ${columns} FROM calls WHERE ${AMONG_CALLS}`, JSON.stringify(places))
      .flatMap((row) => {
        const { record } = fromRow(row, shardAt(row.position as number));
        const cause = causeOf(record.caller);
        return cause === undefined ? [] : [{ ...shortCall(record), cause }];
      });
  }
}
