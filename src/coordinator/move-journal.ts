import type { MoveOrder, MoveReport } from "../placement/move.ts";
import { ended, type MovePhase, type MoveState, PLANNED } from "../placement/move-state.ts";
import type { Clock, SqlRow, SqlStorage, SqlValue } from "../platform/ports.ts";
import type { MoveCounts, MovesQuery, MoveView } from "./commands.ts";
import { count, counters } from "./tables.ts";

/** A move as it stands in the journal. */
export interface Move {
  readonly order: MoveOrder;
  readonly state: MoveState;
  readonly reason: string;
  readonly detail: string;
  readonly trouble: string | null;
  readonly attempts: number;
  readonly rows: number;
  readonly bytes: number;
  /** Ms that callers were stopped for, once it is known. */
  readonly paused: number | null;
  readonly started: number;
  readonly updated: number;
  /** When it last got further. */
  readonly progressed: number;
  readonly endedAt: number | null;
}

/** Moves that ended are kept this many of. */
const KEPT = 2_000;
/** Reasons of moves that must happen; the others are for balance. */
const MUST: ReadonlySet<string> = new Set(["drain", "pin", "operator", "split", "constraint"]);
/** Ms after which a move counts as stuck. */
export const STUCK_AFTER = 30_000;

/** Moves, durably: every phase is written before the order that follows from it. */
export class MoveJournal {
  readonly #storage: SqlStorage;
  readonly #clock: Clock;
  #open: Map<number, Move> | undefined;

  constructor(storage: SqlStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Takes everything from the database again. */
  forget(): void {
    this.#open = undefined;
  }

  /** Moves that have not ended, oldest first. */
  get open(): ReadonlyMap<number, Move> {
    this.#open ??= new Map(
      this.#storage.query("SELECT * FROM moves WHERE ended IS NULL ORDER BY id").map((row) => {
        const move = fromRow(row);
        return [move.order.id, move];
      }),
    );
    return this.#open;
  }

  /** The move that has the shard. One whose copy is only to be dropped holds nobody up. */
  of(shard: number): Move | undefined {
    for (const move of this.open.values())
      if (move.order.shard === shard && move.state.phase !== "dropping") return move;
    return undefined;
  }

  /** A move as it stands now, also one that has ended, as long as it is kept. */
  find(id: number): Move | undefined {
    const open = this.open.get(id);
    if (open !== undefined) return open;
    const [row] = this.#storage.query("SELECT * FROM moves WHERE id = ?", id);
    return row === undefined ? undefined : fromRow(row);
  }

  /** Enters a move. Its number grows with the clock, so that it does also if this database is ever lost. */
  plan(move: Omit<MoveOrder, "id" | "must">, reason: string, detail: string): Move {
    const now = this.#clock.now();
    const last = this.#storage.query<{ id: number }>("SELECT coalesce(max(id), 0) AS id FROM moves")[0]?.id ?? 0;
    const planned: Move = {
      order: { ...move, id: Math.max(last + 1, now), must: MUST.has(reason) },
      state: PLANNED,
      reason,
      detail,
      trouble: null,
      attempts: 0,
      rows: 0,
      bytes: 0,
      paused: null,
      started: now,
      updated: now,
      progressed: now,
      endedAt: null,
    };
    this.#write(planned);
    count(this.#storage, "moves.planned");
    return planned;
  }

  /** Brings a move to its next state. */
  advance(move: Move, state: MoveState): Move {
    const now = this.#clock.now();
    const over = ended(state);
    const began = move.state.phase === "planned" && state.phase === "copying";
    const next: Move = {
      ...move,
      state,
      ...(began ? { started: now } : {}),
      updated: now,
      progressed: now,
      endedAt: over ? now : null,
      trouble: state.reason ?? (over ? null : move.trouble),
    };
    this.#write(next);
    if (over) {
      count(this.#storage, `moves.${state.phase}`);
      this.#prune();
    }
    return next;
  }

  /** Notes what a report says beside the phase. */
  note(move: Move, report: Extract<MoveReport, { rows: number }>): Move {
    const now = this.#clock.now();
    const forTurns = report.kind === "waiting" && report.forTurns === true;
    const further = forTurns || report.rows > move.rows || (report.kind === "copying" && report.bytes > move.bytes);
    const next: Move = {
      ...move,
      rows: Math.max(report.rows, move.rows),
      bytes: Math.max(report.bytes, move.bytes),
      updated: now,
      progressed: further ? now : move.progressed,
      paused: (report.kind === "committed" ? report.paused : undefined) ?? move.paused,
      trouble: report.kind === "waiting" ? report.reason : null,
      attempts: move.attempts + 1,
    };
    this.#write(next);
    return next;
  }

  list({ limit, before, active, shard }: MovesQuery): MoveView[] {
    const conditions = [
      ...(before === undefined ? [] : [`id < ${Math.floor(before)}`]),
      ...(active === true ? ["ended IS NULL"] : []),
      ...(shard === undefined ? [] : [`shard = ${Math.floor(shard)}`]),
    ];
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const rows = this.#storage.query(`SELECT * FROM moves ${where} ORDER BY id DESC LIMIT ?`, limit);
    return rows.map((row) => this.view(fromRow(row)));
  }

  view(move: Move): MoveView {
    const { order, state, endedAt } = move;
    return {
      id: order.id,
      shard: order.shard,
      from: order.from,
      to: order.to,
      phase: state.phase,
      reason: move.reason,
      detail: move.detail,
      epoch: state.epoch,
      trouble: move.trouble,
      attempts: move.attempts,
      rows: move.rows,
      bytes: move.bytes,
      pausedMs: move.paused,
      startedAt: move.started,
      updatedAt: move.updated,
      endedAt,
      stuck: this.stuck(move),
    };
  }

  stuck({ state, started, endedAt }: Move): boolean {
    return endedAt === null && state.phase !== "planned" && this.#clock.now() - started > STUCK_AFTER;
  }

  counts(): MoveCounts {
    const total = counters(this.#storage, "moves.");
    const moves = [...this.open.values()];
    const active = moves.filter(({ state }) => state.phase !== "planned");
    const oldest = Math.min(...active.map(({ started }) => started));
    return {
      done: total["done"] ?? 0,
      undone: total["undone"] ?? 0,
      active: active.length,
      planned: moves.length - active.length,
      oldestMs: active.length === 0 ? 0 : this.#clock.now() - oldest,
    };
  }

  #write(move: Move): void {
    const { order, state } = move;
    const values: SqlValue[] = [
      order.id,
      order.shard,
      order.shards,
      order.from,
      order.to,
      order.mapVersion,
      state.phase,
      state.epoch,
      state.reason,
      move.reason,
      move.detail,
      move.trouble,
      move.attempts,
      move.rows,
      move.bytes,
      move.started,
      move.updated,
      move.progressed,
      move.endedAt,
      move.paused,
    ];
    this.#storage.query(`INSERT OR REPLACE INTO moves VALUES (${values.map(() => "?").join(", ")})`, ...values);
    const open = this.open as Map<number, Move>;
    if (move.endedAt === null) open.set(order.id, move);
    else open.delete(order.id);
  }

  #prune(): void {
    this.#storage.query(
      `DELETE FROM moves WHERE ended IS NOT NULL AND id <= (
         SELECT id FROM moves WHERE ended IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ${KEPT})`,
    );
  }
}

function fromRow(row: SqlRow): Move {
  const number = (column: string) => row[column] as number;
  const text = (column: string) => row[column] as string;
  return {
    order: {
      id: number("id"),
      shard: number("shard"),
      shards: number("shards"),
      from: text("source"),
      to: text("target"),
      mapVersion: number("map_version"),
      must: MUST.has(text("reason")),
    },
    state: {
      phase: text("phase") as MovePhase,
      epoch: row["epoch"] as number | null,
      reason: row["undo_reason"] as string | null,
    },
    reason: text("reason"),
    detail: text("detail"),
    trouble: row["trouble"] as string | null,
    attempts: number("attempts"),
    rows: number("copied"),
    bytes: number("bytes"),
    paused: row["paused"] as number | null,
    started: number("started"),
    updated: number("updated"),
    progressed: number("progressed"),
    endedAt: row["ended"] as number | null,
  };
}
