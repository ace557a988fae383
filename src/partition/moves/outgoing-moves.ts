import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Registry } from "../../object/registry.ts";
import type { MoveInquiry, MoveOrder, MoveReport, UndoReport } from "../../placement/move.ts";
import { pause } from "../../platform/pause.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import { within } from "../../platform/within.ts";
import type { Connect, PartitionClient } from "../../router/ports.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { Ownership } from "../storage/ownership.ts";
import { CopyPace } from "./copy-pace.ts";
import { ANSWER_WITHIN_PAUSE, type Moving, sendNext, silent } from "./copy-sender.ts";
import { drainLimit, hasTriedEnough, TRY_AGAIN } from "./drain-patience.ts";
import { messageOf, refused, waiting, waitingForTurns } from "./move-reports.ts";
import { moveVote } from "./move-vote.ts";
import type { ShardCleaner } from "./shard-cleaner.ts";
import type { ShardDrain } from "./shard-drain.ts";

export interface OutgoingMovesParts {
  readonly registry: Registry;
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly drain: ShardDrain;
  readonly commit: GroupCommit;
  readonly cleaner: ShardCleaner;
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly connect: Connect;
  /** Ms that a move which must happen waits for turns: the default timeout of a turn. */
  readonly config: { readonly callTimeout: number };
}

/**
 * Ms between two messages while callers are served. Without it the two partitions would keep a process they share so busy
 * with each other that it takes no calls from outside: the event loop looks at the network only when nothing else is ready.
 */
const YIELD = 1;
/** Ms of copying before the coordinator hears of it. */
const REPORT_EVERY = 2_000;
/** Ms until an order is answered, though turns are still given time to end. */
const ANSWER_AFTER = 10_000;
const STARTS_OVER = "the source starts over from its database";

/**
 * Shards that leave this partition ([MIG1–5]): copies while serving, stops callers for what is left, commits. The order may
 * come any number of times; it goes on from wherever the shard is.
 *
 * | step      | callers        | durable here               | durable there      | a crash here, or silence there  |
 * |-----------|----------------|----------------------------|--------------------|---------------------------------|
 * | offer     | served         | leaving; changes are noted | –                  | goes on with the next order     |
 * | copy      | served         | digest of what was read    | rows, cursor       | goes on from the cursor         |
 * | drain     | wait           | –                          | –                  | served again                    |
 * | rest      | wait           | –                          | rows; ready        | served again                    |
 * | commit    | wait           | **gone, epoch + 1**        | –                  | the target asks, or is told     |
 * | release   | sent there     | –                          | owned              | the target asks, or is told     |
 * | clear     | sent there     | rows removed, in batches   | –                  | goes on                         |
 */
export class OutgoingMoves {
  readonly #parts: OutgoingMovesParts;
  readonly #moving = new Map<number, Moving>();
  readonly #running = new Map<number, Promise<MoveReport>>();
  /** The last driver of each shard: the next one waits for its end, or they would open each other's gates. */
  readonly #drivers = new Map<number, Promise<unknown>>();
  #stopped = false;

  constructor(parts: OutgoingMovesParts) {
    this.#parts = parts;
  }

  /** Takes the move as far as it goes for now. Never rejects. */
  advance(order: MoveOrder): Promise<MoveReport> {
    const { ownership, clock } = this.#parts;
    const driven = this.#running.get(order.id) ?? this.#drive(order);
    if (order.must !== true) return driven;
    // The coordinator would take a partition that says nothing for so long for a silent one.
    return within(clock, ANSWER_AFTER, driven, silent).catch(() =>
      ownership.gated(order.shard)
        ? waitingForTurns(this.#moving.get(order.shard), `turns on shard ${order.shard} are given time to end`)
        : driven,
    );
  }

  #drive(order: MoveOrder): Promise<MoveReport> {
    const before = this.#drivers.get(order.shard) ?? Promise.resolve();
    const started = before
      .then(() => this.#advance(order))
      .catch((error: unknown) => waiting(this.#moving.get(order.shard), messageOf(error)))
      .finally(() => {
        this.#running.delete(order.id);
        if (this.#drivers.get(order.shard) === started) this.#drivers.delete(order.shard);
      });
    this.#running.set(order.id, started);
    this.#drivers.set(order.shard, started);
    return started;
  }

  /** Takes the move back, unless it is committed: this partition alone knows ([MIG4]). */
  async undo(order: MoveOrder): Promise<UndoReport> {
    const { ownership, changes, clock, storage } = this.#parts;
    const { shard, id } = order;
    if (order.shards !== ownership.shards) throw new EdgeverseError("UNAVAILABLE", ownership.otherCount);
    ownership.claim(shard, clock.now());
    const state = ownership.record(shard)?.state;
    if (state?.kind === "gone" && state.move === id) {
      // The commit must be durable before anybody hears of it.
      await storage.barrier();
      return { kind: "committed", epoch: state.epoch };
    }
    const leaving = state?.kind === "leaving" && state.move === id;
    ownership.apply(shard, { kind: "undo", move: id }, clock.now());
    if (leaving) {
      changes.clear(shard);
      const moving = this.#moving.get(shard);
      if (moving !== undefined) moving.undone = true;
      this.#moving.delete(shard);
    }
    // After this its callers are let in again, as if there had been no move.
    await this.#drivers.get(shard);
    await storage.barrier();
    const record = ownership.record(shard)?.state;
    return { kind: "undone", epoch: record?.epoch ?? 0 };
  }

  /** Answers a target that is ready and has not heard of the commit ([MIG4]). */
  async inquire({ shard, shards, id, to }: MoveOrder): Promise<MoveInquiry> {
    const { ownership } = this.#parts;
    if (shards !== ownership.shards) throw new EdgeverseError("UNAVAILABLE", ownership.otherCount);
    const state = ownership.record(shard)?.state;
    await this.#parts.storage.barrier();
    if (state?.kind === "gone" && state.move === id && state.to === to) return { kind: "committed" };
    return { kind: "serving" };
  }

  /** Whether any order is being followed. */
  get busy(): boolean {
    return this.#drivers.size > 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #advance(order: MoveOrder): Promise<MoveReport> {
    const { ownership, changes, clock, registry, storage } = this.#parts;
    const { shard, id, to } = order;
    if (this.#stopped) return waiting(undefined, STARTS_OVER);
    if (order.from !== ownership.name || to === ownership.name) return refused("the order is for another partition");
    if (order.shards !== ownership.shards) return waiting(undefined, ownership.otherCount);
    ownership.claim(shard, clock.now());
    const before = ownership.record(shard)?.state;
    if (before?.kind === "gone" && before.move === id) {
      await storage.barrier();
      return this.#activate(order, before.epoch);
    }
    if (before?.kind === "owned") {
      const vote = moveVote(registry, storage, ownership.range(shard), order);
      if (vote.kind !== "allow") return refused(vote.reason, vote.kind === "delay" ? vote.delay : undefined);
    }
    const step = ownership.apply(shard, { kind: "offer", move: id, to }, clock.now(), order);
    if (step.kind === "refused") return refused(`shard ${shard}: ${step.reason}`);
    const moving = this.#begin(order, step.kind === "next");
    const until = clock.now() + REPORT_EVERY;
    for (let over = this.#over(moving); ; over = this.#over(moving)) {
      if (over !== undefined) return over;
      const { sent, trouble } = await sendNext(this.#parts, moving, this.#over);
      if (trouble !== undefined) return trouble;
      if (moving.pace.isTime(changes, ownership.range(shard), moving.cursor, sent)) return this.#handOff(moving);
      if (clock.now() >= until) return { kind: "copying", rows: moving.rows, bytes: moving.bytes };
      await pause(clock, YIELD);
    }
  }

  #begin(order: MoveOrder, fresh: boolean): Moving {
    const { ownership, changes, storage } = this.#parts;
    const range = ownership.range(order.shard);
    if (fresh) {
      // Changes noted for an earlier move of the shard are of no use to this move.
      changes.end(order.shard);
      storage.query("DELETE FROM changes WHERE position BETWEEN ? AND ?", range.first, range.last);
    }
    const known = this.#moving.get(order.shard);
    if (known?.order.id === order.id) return known;
    const moving = { order, cursor: null, rows: 0, bytes: 0, pace: new CopyPace(), stalled: 0, undone: false };
    this.#moving.set(order.shard, moving);
    return moving;
  }

  /** Why the move is not its driver's any more: it was undone, or this process of the partition has ended. */
  readonly #over = (moving: Moving): MoveReport | undefined => {
    if (moving.undone) return refused("the move was undone");
    return this.#stopped ? waiting(moving, STARTS_OVER) : undefined;
  };

  /** Stops the shard's callers, sends the rest, and commits; or lets them in again. */
  async #handOff(moving: Moving): Promise<MoveReport> {
    const { drain, ownership, config, clock } = this.#parts;
    const stopped = clock.now();
    const { shard, must = false } = moving.order;
    const limit = drainLimit(must ? config.callTimeout : undefined, moving.stalled);
    let gone = false;
    try {
      if (!(await drain.drain(shard, limit, () => this.#over(moving) === undefined))) {
        const over = this.#over(moving);
        if (over !== undefined) return over;
        const reason = `a turn on shard ${shard} did not end within ${limit} ms`;
        moving.stalled++;
        const again = must || !hasTriedEnough(moving.stalled);
        return again ? waitingForTurns(moving, reason) : refused(reason, TRY_AGAIN);
      }
      for (let ready = false; !ready; ) {
        const sent = await sendNext(this.#parts, moving, this.#over, true);
        if (sent.trouble !== undefined) return sent.trouble;
        ready = sent.ready;
      }
      const epoch = await this.#commit(moving);
      if (epoch === undefined) return this.#over(moving) ?? waiting(moving, "something was written meanwhile");
      gone = true;
      const report = this.#activate(moving.order, epoch, { moving, stopped });
      ownership.release(shard);
      // Nobody waits for this: calls no longer reach the shard's objects here.
      drain.forget(shard);
      return await report;
    } finally {
      if (!gone && !this.#stopped) drain.reopen(shard);
    }
  }

  /** The commit point. Undefined when the move was undone before it. */
  async #commit(moving: Moving): Promise<number | undefined> {
    const { ownership, commit, changes, clock } = this.#parts;
    const { shard, id } = moving.order;
    let committed = false;
    commit.write(null, () => {
      // A write after the comparison would be missing at the target: then the move does not commit.
      const { cursor } = moving;
      const rest = changes.left(ownership.range(shard), cursor?.change ?? 0, 1);
      if (this.#over(moving) !== undefined || rest > 0 || !this.#parts.drain.closed(shard)) return;
      committed = ownership.apply(shard, { kind: "commit", move: id }, clock.now(), moving.order).kind === "next";
      if (committed) changes.clear(shard);
    });
    commit.flush();
    await commit.durable(null);
    if (!committed) return undefined;
    this.#moving.delete(shard);
    return ownership.record(shard)?.state.epoch;
  }

  /** Tells the target. If the message is lost, the target asks. */
  async #activate(
    order: MoveOrder,
    epoch: number,
    done?: { readonly moving: Moving; readonly stopped: number },
  ): Promise<MoveReport> {
    const { connect, clock, cleaner } = this.#parts;
    cleaner.start();
    const active = await within(clock, ANSWER_WITHIN_PAUSE, activateAt(connect(order.to), order), silent).catch(
      () => false,
    );
    const { rows = 0, bytes = 0 } = done?.moving ?? {};
    const report = { kind: "committed", epoch, active, rows, bytes } as const;
    return done === undefined ? report : { ...report, paused: clock.now() - done.stopped };
  }
}

async function activateAt(client: PartitionClient, order: MoveOrder): Promise<boolean> {
  return (await client.activate(order)).kind === "active";
}
