import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CopyCursor, MoveOrder, MoveReport } from "../../placement/move.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import { within } from "../../platform/within.ts";
import type { Connect } from "../../router/ports.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { Ownership } from "../storage/ownership.ts";
import { sizeOfRow } from "../storage/shard-rows.ts";
import { nextChunk } from "./copy-chunk.ts";
import type { CopyPace } from "./copy-pace.ts";
import { refused, waiting } from "./move-reports.ts";

/** A move out of here, as far as it has come in this process. */
export interface Moving {
  readonly order: MoveOrder;
  cursor: CopyCursor | null;
  rows: number;
  bytes: number;
  readonly pace: CopyPace;
  /** Hand-offs that were given up because a turn did not end. */
  stalled: number;
  /** The move was undone while its driver ran. */
  undone: boolean;
}

interface Parts {
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly connect: Connect;
}

/** What became of a message: how many rows the target took, whether it stands ready, or why the copy stops for now. */
export interface Sent {
  readonly sent: number;
  readonly ready: boolean;
  readonly trouble?: MoveReport;
}

/** Ms the target has for one message. */
const ANSWER_WITHIN = 10_000;
/** The same while callers wait for the hand-off. */
export const ANSWER_WITHIN_PAUSE = 3_000;

export const silent = () => new EdgeverseError("UNAVAILABLE", "The target does not answer");

/**
 * Sends the next rows of a move, and says how many the target has taken.
 *
 * @param over why the move is not this driver's any more
 * @param final callers wait: the message brings the digest with the last changes
 */
export async function sendNext(
  parts: Parts,
  moving: Moving,
  over: (moving: Moving) => MoveReport | undefined,
  final = false,
): Promise<Sent> {
  const { changes, storage, connect, clock } = parts;
  const chunk = nextChunk(parts, moving, final);
  const limit = final ? ANSWER_WITHIN_PAUSE : ANSWER_WITHIN;
  // What the target stores must be durable here first.
  await storage.barrier();
  const before = over(moving);
  if (before !== undefined) return stopped(before);
  const reply = await within(clock, limit, connect(moving.order.to).transfer(chunk), silent);
  const after = over(moving);
  if (after !== undefined) return stopped(after);
  switch (reply.kind) {
    case "stored":
      moving.rows += chunk.rows.length;
      for (const row of chunk.rows) moving.bytes += sizeOfRow(row);
      moving.cursor = reply.cursor;
      changes.acknowledged(moving.order.shard, reply.cursor.change);
      return { sent: chunk.rows.length, ready: reply.ready };
    case "elsewhere":
      moving.cursor = reply.cursor;
      return { sent: 0, ready: false };
    case "busy":
      return stopped(waiting(moving, reply.reason));
    default:
      return stopped(refused(reply.reason));
  }
}

function stopped(trouble: MoveReport): Sent {
  return { sent: 0, ready: false, trouble };
}
