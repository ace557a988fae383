import { type ShardEvent, type ShardRecord, shardTransition } from "../../placement/shard-state.ts";
import type { DeliveryFlaw } from "./delivery-flaws.ts";
import { hearNext, runNext } from "./delivery-handlers.ts";
import { DELIVERY_GOAL, DELIVERY_INVARIANTS, DELIVERY_STEPS } from "./delivery-invariants.ts";
import { deliveryKey } from "./delivery-model-key.ts";
import {
  type At,
  CALLS,
  type DeliveryState,
  type Held,
  heldOf,
  NAMES,
  open,
  other,
  PLACES,
  type Rows,
  SHARDS,
  type Shard,
  type Side,
  withHeld,
  withRows,
  withSide,
} from "./delivery-model-state.ts";
import { lateActions, sendingActions } from "./delivery-sending.ts";
import type { Emit, Model } from "./explore.ts";

export interface DeliveryModelOptions {
  /** Moves of each shard, one after the other. */
  readonly moves?: number;
  readonly flaw?: DeliveryFlaw;
}

type State = DeliveryState;

/**
 * The delivery of two messages of one pair, while the shard of the sender and that of the receiver move, and partitions crash at
 * any time. The decisions are the real ones: what an answer says and what is next (`partition/outbox/delivery.ts`), what
 * becomes of a call (`reliable/call-state.ts`), who owns a shard (`placement/shard-state.ts`).
 *
 * | what                  | how                                                                                   |
 * |-----------------------|---------------------------------------------------------------------------------------|
 * | durable writes        | atomic; what a crash leaves is records and rows                                       |
 * | memory                | which messages a partition holds, and what it knows of each; read from the rows later  |
 * | request and answer    | one action; or the effect without the answer. It may turn up at either partition       |
 * | lost request          | no action: the message is where it was                                                |
 * | late, or twice        | `late`: any request that could have been sent, delivered at any later time            |
 * | move                  | offered; handed over: the source writes nothing more, the target has all; committed    |
 * | deadline              | may pass at any time                                                                  |
 */
export function deliveryModel({ moves = 1, flaw }: DeliveryModelOptions = {}): Model<State> {
  return {
    initial: [initialState(1), initialState(0)],
    successors: (state, emit) => {
      for (const at of PLACES) {
        senderActions(state, at, flaw, emit);
        sendingActions(state, at, flaw, emit);
        const ran = open(state, "receiver", at) ? runNext(state, at) : state;
        if (ran !== state) emit(`the next call runs at ${NAMES[at]}`, ran);
        const heard = open(state, "sender", at) ? hearNext(state, at) : state;
        if (heard !== state) emit(`the sender hears an outcome at ${NAMES[at]}`, heard);
        for (const shard of SHARDS) moveActions(state, shard, at, moves, flaw, emit);
        crash(state, at, emit);
      }
      lateActions(state, flaw, emit);
      if (!state.expired) emit("the deadline of 1 passes", { ...state, expired: true }, true);
    },
    key: deliveryKey(),
    invariants: DELIVERY_INVARIANTS,
    steps: DELIVERY_STEPS,
    goal: DELIVERY_GOAL,
  };
}

/** Turns that send, and what is read and let go of memory. */
function senderActions(state: State, at: At, flaw: DeliveryFlaw | undefined, emit: Emit<State>): void {
  if (!open(state, "sender", at)) return;
  const { outbox } = state.sender[at].rows;
  const next = CALLS[state.sent];
  if (next !== undefined) {
    const stored = { ...withRows(state, "sender", at, { outbox: outbox + next }), sent: state.sent + 1 };
    const unread = [...outbox].some((call) => heldOf(state, at, call as "1") === "-");
    const waits = unread && flaw !== "new-before-read";
    emit(`a turn sends ${next}`, waits ? stored : withHeld(stored, at, next, "l"));
  }
  const first = CALLS.find((call) => outbox.includes(call) && heldOf(state, at, call) === "-");
  const read = flaw !== "unread-after-crash" && !(flaw === "left-lying" && at === 1);
  if (first !== undefined && read) emit(`${NAMES[at]} reads ${first}`, withHeld(state, at, first, "l"));
  const held = CALLS.filter((call) => heldOf(state, at, call) !== "-");
  const last = flaw === "first-let-go" ? held[0] : held.at(-1);
  if (last !== undefined) emit(`${NAMES[at]} lets go of ${last}`, withHeld(state, at, last, "-"), true);
}

/** The move of a shard from here. The protocol itself has a model of its own (`move-model.ts`). */
function moveActions(
  state: State,
  shard: Shard,
  at: At,
  moves: number,
  flaw: DeliveryFlaw | undefined,
  emit: Emit<State>,
): void {
  const name = `the ${shard}'s shard`;
  const to = other(at);
  const [own, target] = [state[shard][at].record?.state, state[shard][to].record?.state];
  if (own?.kind === "owned" && state.moves[shard] < moves) {
    const move = state.moves[shard] + 1;
    const offered = happen(state, shard, at, { kind: "offer", move, to: NAMES[to] });
    const staged = happen(offered, shard, to, { kind: "stage", move, from: NAMES[at], epoch: own.epoch + 1 });
    emit(`${name} is to move to ${NAMES[to]}`, { ...staged, moves: { ...state.moves, [shard]: move } });
  }
  if (own?.kind === "leaving") {
    const { move } = own;
    if (!state.handed.includes(shard)) {
      let handed = happen(state, shard, to, { kind: "stage", move, from: NAMES[at], epoch: own.epoch + 1 });
      handed = withSide(handed, shard, to, { rows: movedRows(state[shard][at].rows, flaw) });
      handed = happen(handed, shard, to, { kind: "verify", move });
      if (shard === "sender" && flaw !== "goes-on") handed = released(handed, at);
      emit(`${name} is handed over`, { ...handed, handed: [...state.handed, shard].sort() });
    } else if (target?.kind === "ready") {
      const committed = happen(state, shard, at, { kind: "commit", move });
      emit(`${name} is ${NAMES[to]}'s`, opened(withSide(committed, shard, at, { rows: NONE }), shard));
    }
    const undone = happen(state, shard, at, { kind: "undo", move });
    const dropped = happen(undone, shard, to, { kind: "drop", move, from: NAMES[at], epoch: own.epoch });
    emit(`the move of ${name} is undone`, opened(withSide(dropped, shard, to, { rows: NONE }), shard), true);
  }
  if (own?.kind === "gone" && target?.kind === "ready" && own.move === target.move) {
    emit(`${NAMES[to]} serves ${name}`, happen(state, shard, to, { kind: "activate", move: own.move }));
  }
}

function happen(state: State, shard: Shard, at: At, event: ShardEvent): State {
  const step = shardTransition(state[shard][at].record, event);
  return step.kind === "next" ? withSide(state, shard, at, { record: step.record }) : state;
}

function movedRows(rows: Rows, flaw: DeliveryFlaw | undefined): Rows {
  if (flaw === "messages-left") return { ...rows, outbox: "" };
  if (flaw === "call-marks-left") return { ...rows, calls: rows.calls.replaceAll(/[12][se]/g, "") };
  if (flaw === "outcome-marks-left" && rows.told.startsWith("s")) return { ...rows, told: "" };
  return rows;
}

function opened(state: State, shard: Shard): State {
  return { ...state, handed: state.handed.filter((each) => each !== shard) };
}

const FORGOTTEN: readonly [Held, Held] = ["-", "-"];

/** What is in a partition's memory of messages is gone. */
function released(state: State, at: At): State {
  return { ...state, held: at === 0 ? [FORGOTTEN, state.held[1]] : [state.held[0], FORGOTTEN] };
}

/** A partition loses what it had only in memory. */
function crash(state: State, at: At, emit: Emit<State>): void {
  const handed = state.handed.filter((shard) => state[shard][at].record?.state.kind !== "leaving");
  const holds = state.held[at].some((held) => held !== "-");
  if (holds || handed.length < state.handed.length) {
    emit(`${NAMES[at]} crashes`, { ...released(state, at), handed }, true);
  }
}

const NONE: Rows = { outbox: "", told: "", calls: "" };

function initialState(receiver: At): State {
  const owned: ShardRecord = { state: { kind: "owned", epoch: 1 }, seen: 0 };
  const side = (own: boolean): Side => ({ record: own ? owned : undefined, rows: NONE });
  return {
    sender: [side(true), side(false)],
    receiver: [side(receiver === 0), side(receiver === 1)],
    handed: [],
    moves: { sender: 0, receiver: 0 },
    held: [FORGOTTEN, FORGOTTEN],
    sent: 0,
    expired: false,
    late: null,
    ran: "",
    heard: "",
  };
}
