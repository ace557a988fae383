import type { SQL } from "drizzle-orm";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";
import type { CallRecord } from "../src/reliable/call-record.ts";
import { readFailure } from "./neon-database.ts";
import { parameterRow, upsertStatement } from "./postgres-log-statement.ts";

/** Characters of request and response in one statement. Neon takes 64 MiB; quoting can make a text four times longer. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** Cardinality violation, data, constraint and program limit errors: about what the rows hold, not about the database. */
const DATA_ERROR = /^(?:21|22|23|54)/;

/** A record that Postgres will not take in any form. */
export interface RefusedRecord {
  readonly type: string;
  readonly id: string;
  readonly callId: string;
  readonly sqlState: string;
}

/**
 * Writes records in as few statements as their size allows. When Postgres refuses a batch for its data, halves are tried
 * until the bad record stands alone; that one is stored with its JSON verbatim, or, refused again, reported.
 *
 * @throws LOG_UNAVAILABLE, and then any part of the records may be written
 * @throws INVALID_ARGUMENT after all others are written, with `details.refused`: a list of `RefusedRecord`
 */
export async function writeRecords(
  records: readonly CallRecord[],
  run: (statement: SQL) => Promise<void>,
): Promise<void> {
  const refused: RefusedRecord[] = [];
  for (const part of bySize(records)) await writePart(part, run, refused);
  if (refused.length === 0) return;
  throw new EdgeverseError(
    "INVALID_ARGUMENT",
    `Cannot log ${refused.length} of ${records.length} calls: Postgres refuses them`,
    {
      details: { refused },
    },
  );
}

async function writePart(
  part: readonly CallRecord[],
  run: (statement: SQL) => Promise<void>,
  refused: RefusedRecord[],
) {
  const state = await attempt(part, false, run);
  if (state === undefined) return;
  const [first] = part;
  if (part.length > 1) {
    const middle = part.length >> 1;
    await writePart(part.slice(0, middle), run, refused);
    await writePart(part.slice(middle), run, refused);
  } else if (first !== undefined) {
    const again = await attempt(part, true, run);
    if (again !== undefined) refused.push({ type: first.type, id: first.id, callId: first.callId, sqlState: again });
  }
}

/** The SQLSTATE of a data error, or undefined when the records were written. */
async function attempt(part: readonly CallRecord[], verbatim: boolean, run: (statement: SQL) => Promise<void>) {
  try {
    await run(upsertStatement(JSON.stringify(part.map((record) => parameterRow(record, verbatim)))));
    return undefined;
  } catch (error) {
    const { state, reason } = readFailure(error);
    if (state !== undefined && DATA_ERROR.test(state)) return state;
    throw new EdgeverseError("LOG_UNAVAILABLE", `Cannot write to the log of reliable calls: ${reason}`);
  }
}

function bySize(records: readonly CallRecord[]): CallRecord[][] {
  const parts: CallRecord[][] = [];
  let part: CallRecord[] = [];
  let size = 0;
  for (const record of records) {
    const characters = (record.request?.length ?? 0) + (record.response?.length ?? 0);
    if (part.length > 0 && size + characters > MAX_CHARACTERS) {
      parts.push(part);
      part = [];
      size = 0;
    }
    part.push(record);
    size += characters;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
