import type { Config } from "../config/config.ts";
import { ended, type MoveEvent, moveTransition } from "../placement/move-state.ts";
import { assertNever } from "../placement/shard-state.ts";
import { pause } from "../platform/pause.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import { within } from "../platform/within.ts";
import type { Connect } from "../router/ports.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { ShardWhy } from "./commands.ts";
import { type Move, type MoveJournal, STUCK_AFTER } from "./move-journal.ts";
import type { Silence } from "./silence.ts";

interface Parts {
  readonly journal: MoveJournal;
  readonly map: ClusterMap;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly connect: Connect;
  readonly silence: Silence;
  readonly warn: (event: string, details: Readonly<Record<string, unknown>>) => void;
  /** A move has ended, or left its shard, as `move` if its driver did not fail: there may be room for the next. */
  readonly onEnded: (move: Move | undefined) => void;
  /** A partition has become silent, or answers again: other moves may begin, or be planned. */
  readonly onSilence: () => void;
  /** `moveStall`: ms without progress, and `moveLimit`: in all, after which a move is undone. */
  readonly config: Pick<Config, "moveStall" | "moveLimit">;
}

/** Ms between two orders while a partition says "not yet"; doubled up to the second, or the third if it says nothing. */
const PAUSE = { first: 50, longest: 2_000, silent: 10_000 };
/** Ms between two complaints about a stuck move. */
const WARN_EVERY = 60_000;
/** Ms a partition has to answer one order. */
const ANSWER_WITHIN = 30_000;
/**
 * Ms before each move. Thousands of empty shards that move one after the other would keep a process that partitions share
 * too busy to take calls from outside.
 */
const YIELD = 10;
/** Ms a shard is left alone after a move of it was undone; doubled each time by the journal's age. */
const RETRY_AFTER = 10_000;

/**
 * Carries out moves ([MIG4], [MIG6]). Each is a loop of order, answer, journal. The loop may end anywhere; the alarm begins it
 * again, from the journal and what the partitions have stored.
 */
export class MoveDriver {
  readonly #parts: Parts;
  /** Moves that are driven, each with what ends the present wait of its driver. */
  readonly #driving = new Map<number, () => void>();
  /** When each move was last complained of. */
  readonly #warned = new Map<number, number>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Drives every move that has begun and that nobody drives yet, and begins planned ones while there is room. A move that
   * waits for a silent partition takes no room, and no other one with that partition begins meanwhile.
   */
  drive(most: number): void {
    const { journal, silence } = this.#parts;
    const moves = [...journal.open.values()];
    let active = moves.filter((move) => move.state.phase !== "planned" && !silence.has(askedIn(move))).length;
    for (const move of moves) {
      const { id, from, to } = move.order;
      if (this.#driving.has(id)) continue;
      if (move.state.phase === "planned" && (silence.has(from) || silence.has(to))) {
        const last = this.#step(move, { kind: "give up", reason: `${silence.has(to) ? to : from} does not answer` });
        queueMicrotask(() => this.#parts.onEnded(last));
        continue;
      }
      if (move.state.phase === "planned" && active >= most) continue;
      if (move.state.phase === "planned") active++;
      this.#driving.set(id, () => undefined);
      void this.#run(move.state.phase === "planned" ? this.#step(move, { kind: "start" }) : move)
        .catch((error: unknown) => {
          this.#parts.warn("the driver of a move failed", { move: id, error });
          return undefined;
        })
        .then((last) => {
          this.#driving.delete(id);
          this.#warned.delete(id);
          if (!this.#stopped) this.#parts.onEnded(last);
        });
    }
  }

  /** An operator's word on a move. Its driver goes on with what comes of it at once. */
  apply(move: Move, event: MoveEvent): Move {
    const next = this.#step(move, event);
    const interrupt = this.#driving.get(move.order.id);
    if (interrupt !== undefined) interrupt();
    else queueMicrotask(() => this.#parts.onEnded(next));
    return next;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(begun: Move): Promise<Move> {
    const { clock, storage, silence, config } = this.#parts;
    let move = begun;
    let wait: number = PAUSE.first;
    await pause(clock, YIELD);
    while (!ended(move.state) && !this.#stopped) {
      // The order must not get ahead of the journal.
      await storage.barrier();
      if (this.#stopped) return move;
      const before = this.#present(move);
      move = ended(before.state) ? before : await this.#order(before).catch((error) => this.#silent(before, error));
      this.#warnStuck(move);
      const late = clock.now() - move.progressed > config.moveStall || clock.now() - move.started > config.moveLimit;
      if (move.state.phase === "copying" && late) {
        move = this.#step(move, { kind: "give up", reason: move.trouble ?? "it took too long" });
      }
      if (move.state.phase !== before.state.phase) wait = PAUSE.first;
      // Its shard may move again, though the copy is yet to be dropped.
      if (move.state.phase === "dropping" && before.state.phase !== "dropping") this.#parts.onEnded(move);
      else if (move.trouble !== null) {
        await this.#interruptible(move, pause(clock, wait));
        wait = Math.min(silence.has(askedIn(move)) ? PAUSE.silent : PAUSE.longest, wait * 2);
      }
    }
    return move;
  }

  /** The move as it stands in the journal: an operator may have had a word meanwhile. */
  #present(move: Move): Move {
    return this.#parts.journal.find(move.order.id) ?? move;
  }

  /** Waits for `work`, unless an operator has a word on the move before. What comes of the work later is lost. */
  #interruptible<T>({ order }: Move, work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#driving.set(order.id, () => resolve(undefined));
      work.then(resolve, reject);
    });
  }

  /** Sends the order that the phase calls for, and journals what comes of it. */
  async #order(move: Move): Promise<Move> {
    const { order, state } = move;
    const event = await this.#interruptible(move, this.#ordered(move));
    const present = this.#present(move);
    if (event === undefined || ended(present.state)) return present;
    if (event.kind !== "reported") return this.#step(present, event);
    const { report } = event;
    if (report.kind !== "refused") return this.#step(this.#note(present, report), event);
    if (state.phase === "copying") this.#putOff(order.shard, report.delay ?? RETRY_AFTER);
    return this.#step(present, event);
  }

  /** What the partition made of the order of the present phase. */
  async #ordered({ order, state, rows, bytes }: Move): Promise<MoveEvent | undefined> {
    switch (state.phase) {
      case "copying":
        return { kind: "reported", report: await this.#ask(order.from, (client) => client.advance(order)) };
      case "undoing":
        return { kind: "undo answered", report: await this.#ask(order.from, (client) => client.undo(order)) };
      case "committed": {
        const answer = await this.#ask(order.to, (client) => client.activate(order));
        if (answer.kind === "active") return { kind: "activated" };
        return { kind: "reported", report: { kind: "waiting", reason: answer.reason, rows, bytes } };
      }
      case "dropping":
        await this.#ask(order.to, (client) => client.drop(order, state.epoch ?? 0));
        return { kind: "dropped" };
      case "planned":
      case "done":
      case "undone":
        return undefined;
      default:
        return assertNever(state.phase);
    }
  }

  #silent(before: Move, error: unknown): Move {
    const move = this.#present(before);
    if (ended(move.state)) return move;
    const reason = error instanceof Error ? error.message : "no answer";
    return this.#note(move, { kind: "waiting", reason, rows: move.rows, bytes: move.bytes });
  }

  #note(move: Move, report: Parameters<MoveJournal["note"]>[1]): Move {
    return this.#parts.journal.note(move, report);
  }

  /** Journals a transition, and with a commit the new owner, as one. */
  #step(move: Move, event: MoveEvent): Move {
    const { journal, map, storage } = this.#parts;
    const state = moveTransition(move.state, event);
    if (state === move.state) return move;
    return storage.transaction(() => {
      const owner = map.owner(move.order.shard);
      const moved = state.phase === "committed" || (state.phase === "done" && move.state.phase !== "committed");
      if (moved && owner !== move.order.to) this.#moved(move, state.epoch);
      if (state.phase === "undone" || state.phase === "dropping") this.#putOff(move.order.shard, RETRY_AFTER);
      return journal.advance(move, state);
    });
  }

  #moved({ order, reason }: Move, epoch: number | null): void {
    const { map, clock } = this.#parts;
    const note = map.note(order.shard);
    const why = WHY[reason] ?? "plan";
    map.write({
      ...note,
      partition: order.to,
      epoch,
      movedAt: clock.now(),
      retryAt: 0,
      // The shard is at its base owner again: the map needs no exception.
      why: map.base(order.shard) === order.to && why !== "operator" && why !== "pin" ? null : why,
    });
    map.raise();
  }

  /** Leaves the shard alone for a while. */
  #putOff(shard: number, ms: number): void {
    const { map, clock } = this.#parts;
    const note = map.note(shard);
    map.write({ ...note, retryAt: Math.max(note.retryAt, clock.now() + ms) });
  }

  #warnStuck(move: Move): void {
    const { journal, warn, clock } = this.#parts;
    const { order, state, trouble } = move;
    const now = clock.now();
    if (!journal.stuck(move) || ended(state) || now - (this.#warned.get(order.id) ?? 0) < WARN_EVERY) return;
    this.#warned.set(order.id, now);
    const age = now - move.started;
    warn("a move is stuck", { ...order, phase: state.phase, trouble, ageMs: age, thresholdMs: STUCK_AFTER });
  }

  async #ask<T>(partition: string, question: (client: ReturnType<Connect>) => Promise<T>): Promise<T> {
    const { clock, connect, silence, onSilence } = this.#parts;
    const sentAt = clock.now();
    try {
      const answer = await within(clock, ANSWER_WITHIN, question(connect(partition)), () => late(partition));
      if (silence.answered(partition)) onSilence();
      return answer;
    } catch (error) {
      if (silence.failed(partition, sentAt)) onSilence();
      throw error;
    }
  }
}

const late = (partition: string) => new Error(`partition ${partition} did not answer within ${ANSWER_WITHIN} ms`);

/** The partition that the move's next order goes to. */
function askedIn({ order, state }: Move): string {
  return state.phase === "committed" || state.phase === "dropping" ? order.to : order.from;
}

/** Why a shard is at its owner, by the reason of the move that brought it there. */
const WHY: Readonly<Record<string, ShardWhy>> = {
  operator: "operator",
  pin: "pin",
  drain: "drain",
  split: "split",
  membership: "plan",
};
