import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type {
  ActivateReply,
  CopyCursor,
  CopyDigest,
  MovedRow,
  MoveOrder,
  TransferChunk,
  TransferReply,
} from "../../placement/move.ts";
import type { ShardStep } from "../../placement/shard-state.ts";
import { pause } from "../../platform/pause.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import { within } from "../../platform/within.ts";
import type { Connect } from "../../router/ports.ts";
import { digestWith } from "../storage/change-tracker.ts";
import type { Ownership } from "../storage/ownership.ts";
import { EMPTY_DIGEST, sameDigest } from "../storage/row-digest.ts";
import { insertRows, readRow, replaceRow, rowsOfObject, underEpoch } from "../storage/shard-rows.ts";
import type { ShardCleaner } from "./shard-cleaner.ts";

export interface IncomingMovesParts {
  readonly ownership: Ownership;
  readonly cleaner: ShardCleaner;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly connect: Connect;
  /** The shard is this partition's now: its pending calls and objects are to be taken up. */
  readonly onOwned: (shard: number) => void;
  /** Rows of a shard have come; told in the transaction that stores them. */
  readonly onRows: (shard: number, rows: readonly MovedRow[]) => void;
}

/** How far the copy of an incoming shard is; the column `copy` of `shards`. */
interface Received {
  readonly cursor: CopyCursor;
  readonly digest: CopyDigest;
}

/** Ms between two questions to a source that does not answer, and for each. */
const ASK_AGAIN = 100;
const ANSWER_WITHIN = 2_000;

/** Shards that come to this partition. Nothing is served from them until the source has committed ([MIG4]). */
export class IncomingMoves {
  readonly #parts: IncomingMovesParts;
  readonly #asking = new Set<number>();
  #stopped = false;

  constructor(parts: IncomingMovesParts) {
    this.#parts = parts;
    parts.ownership.onReadyAsked = (shard) => this.#ask(shard);
  }

  /** Stores rows of a move. With the last rows it compares the digests, and is then ready ([MIG3]). */
  async transfer(chunk: TransferChunk): Promise<TransferReply> {
    const { ownership, storage } = this.#parts;
    const { order } = chunk;
    if (order.to !== ownership.name) return { kind: "refused", reason: "the rows are for another partition" };
    if (order.shards !== ownership.shards) {
      return { kind: "busy", reason: ownership.otherCount };
    }
    const before = this.#before(order);
    if (before !== undefined) return before;
    const received = this.#received(order);
    const ready = received !== undefined && ownership.record(order.shard)?.state.kind === "ready";
    if (ready && chunk.rows.length === 0 && chunk.final === undefined) {
      // An empty message must not undo the comparison: it may be late, after the source has committed.
      return { kind: "stored", cursor: received.cursor, ready: false };
    }
    if (!sameCursor(received?.cursor ?? null, chunk.from)) {
      return { kind: "elsewhere", cursor: received?.cursor ?? null };
    }
    let reply: TransferReply;
    try {
      reply = storage.transaction(() => this.#store(chunk, received?.digest ?? EMPTY_DIGEST));
    } catch (error) {
      // The transaction rolled back, so the records in memory may be wrong.
      ownership.reread();
      if (error instanceof MismatchError) return { kind: "refused", reason: error.message };
      throw error;
    }
    // It stood ready, and its source serves on: whoever waits for it here is better off there.
    if (ownership.record(order.shard)?.state.kind === "incoming")
      ownership.release(order.shard, ownership.moved(order.shard));
    await storage.barrier();
    return reply;
  }

  /** The source has committed: the shard is served here from now on. */
  async activate(order: MoveOrder): Promise<ActivateReply> {
    const { ownership, storage, clock, onOwned } = this.#parts;
    if (order.shards !== ownership.shards) return { kind: "refused", reason: ownership.otherCount };
    const step = ownership.apply(order.shard, { kind: "activate", move: order.id }, clock.now(), order);
    if (step.kind === "refused") return { kind: "refused", reason: step.reason };
    if (step.kind === "next") {
      onOwned(order.shard);
      ownership.release(order.shard);
    }
    await storage.barrier();
    return { kind: "active" };
  }

  /** The source has taken the move back, and serves with `epoch`. */
  async drop(order: MoveOrder, epoch: number): Promise<void> {
    const { ownership, storage, clock, cleaner } = this.#parts;
    // A late message from before a reshard, for which nobody waits: its shard number means another shard now, or none. Or this
    // process was replaced before a reshard and does not know it: whoever asks must ask again, or the copy is never dropped.
    if (order.shards !== ownership.shards) throw new EdgeverseError("UNAVAILABLE", ownership.otherCount);
    const event = { kind: "drop", move: order.id, from: order.from, epoch } as const;
    const step = ownership.apply(order.shard, event, clock.now(), order);
    if (step.kind === "next" && step.record.state.kind === "gone") {
      cleaner.start();
      // Opens only the gate that this move has closed: a late message must not open the gate of a later move.
      ownership.release(order.shard, ownership.moved(order.shard));
    }
    await storage.barrier();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What must be done before rows of this move can be taken. */
  #before(order: MoveOrder): TransferReply | undefined {
    const { ownership, cleaner, clock } = this.#parts;
    const record = ownership.record(order.shard);
    const state = record?.state;
    if ((state?.kind === "incoming" || state?.kind === "ready") && state.move < order.id) {
      // Rows of a move that was given up and whose `drop` was lost.
      const { move, from, epoch } = state;
      ownership.apply(order.shard, { kind: "drop", move, from, epoch: epoch - 1 }, clock.now(), order);
      ownership.release(order.shard, ownership.moved(order.shard));
    }
    if (!cleaner.dirty(order.shard)) return undefined;
    cleaner.start();
    return { kind: "busy", reason: `the target still clears away what it had of shard ${order.shard}` };
  }

  #store(chunk: TransferChunk, before: CopyDigest): TransferReply {
    const { ownership, storage, clock } = this.#parts;
    const { order, epoch } = chunk;
    const stage = { kind: "stage", move: order.id, from: order.from, epoch } as const;
    const step: ShardStep = ownership.apply(order.shard, stage, clock.now(), order);
    if (step.kind === "refused") return { kind: "refused", reason: step.reason };
    const digest =
      chunk.from === null || chunk.from.scan !== null ? this.#first(chunk, before) : this.#rest(chunk, before);
    this.#parts.onRows(order.shard, chunk.rows);
    const received: Received = { cursor: chunk.to, digest };
    storage.query("UPDATE shards SET copy = ? WHERE shard = ?", JSON.stringify(received), order.shard);
    if (chunk.final === undefined) return { kind: "stored", cursor: chunk.to, ready: false };
    if (!sameDigest(digest, chunk.final)) {
      throw new MismatchError(`the copy differs from the source: ${digest.rows} rows of ${chunk.final.rows}`);
    }
    ownership.apply(order.shard, { kind: "verify", move: order.id }, clock.now(), order);
    return { kind: "stored", cursor: chunk.to, ready: true };
  }

  /** Rows of the first pass: none of them is here yet. */
  #first({ rows, epoch }: TransferChunk, before: CopyDigest): CopyDigest {
    insertRows(
      this.#parts.storage,
      rows.map((row) => underEpoch(row, epoch)),
    );
    return rows.reduce((digest, row) => digestWith(digest, row, row.values, 1), before);
  }

  /** Rows that changed after it: they replace what is here. */
  #rest({ rows, epoch }: TransferChunk, before: CopyDigest): CopyDigest {
    const { storage } = this.#parts;
    let digest = before;
    for (const row of rows) {
      if (row.wipe === true) {
        for (const old of rowsOfObject(storage, row)) {
          digest = digestWith(digest, old, old.values, -1);
          replaceRow(storage, { ...old, values: null });
        }
        continue;
      }
      digest = digestWith(digest, row, readRow(storage, row), -1);
      replaceRow(storage, underEpoch(row, epoch));
      digest = digestWith(digest, row, row.values, 1);
    }
    return digest;
  }

  #received(order: MoveOrder): Received | undefined {
    const { ownership, storage } = this.#parts;
    const state = ownership.record(order.shard)?.state;
    if ((state?.kind !== "incoming" && state?.kind !== "ready") || state.move !== order.id) return undefined;
    const copy = storage.query<{ copy: string | null }>("SELECT copy FROM shards WHERE shard = ?", order.shard)[0]
      ?.copy;
    return typeof copy === "string" ? (JSON.parse(copy) as Received) : undefined;
  }

  /** A call came for a shard that is ready: the message that activates it may have been lost. */
  #ask(shard: number): void {
    const { ownership } = this.#parts;
    const state = ownership.record(shard)?.state;
    if (this.#stopped || state?.kind !== "ready" || this.#asking.has(shard)) return;
    this.#asking.add(shard);
    void this.#inquire(shard, state.move, state.from).finally(() => this.#asking.delete(shard));
  }

  async #inquire(shard: number, move: number, from: string): Promise<void> {
    const { ownership, connect, clock } = this.#parts;
    const order = { id: move, shard, shards: ownership.shards, from, to: ownership.name, mapVersion: 0 };
    const waits = () => {
      const state = ownership.record(shard)?.state;
      return !this.#stopped && state?.kind === "ready" && state.move === move;
    };
    while (waits()) {
      try {
        const answer = await within(clock, ANSWER_WITHIN, connect(from).inquire(order), silent);
        if (!waits()) return;
        if (answer.kind === "committed") await this.activate(order);
        else ownership.release(shard, ownership.moved(shard));
        return;
      } catch {
        await pause(clock, ASK_AGAIN);
      }
    }
  }
}

const silent = () => new EdgeverseError("UNAVAILABLE", "The source of a move does not answer");

class MismatchError extends EdgeverseError {
  constructor(message: string) {
    super("CONFLICT", message);
  }
}

function sameCursor(left: CopyCursor | null, right: CopyCursor | null): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
