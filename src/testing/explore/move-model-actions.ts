import type { MoveReport } from "../../placement/move.ts";
import { ended, type MoveEvent, moveTransition, PLANNED } from "../../placement/move-state.ts";
import type { Emit } from "./explore.ts";
import { activate, advance, chunkFor, deliver, drop, happen, store, undo, type World } from "./move-model-handlers.ts";
import { messageText } from "./move-model-key.ts";
import {
  type Message,
  type MoveModelState,
  type Name,
  type Order,
  partitionOf,
  release,
  withPartition,
  written,
} from "./move-model-state.ts";

type State = MoveModelState;

/**
 * The coordinator sends an order and waits; what it hears goes into the journal. Order and answer are one action, or the order
 * has its effect and the answer is lost. Nothing more needs to be told apart: an order is the same whenever it is sent, and
 * all answers are facts that stay true until they are known. An order that arrives when the coordinator has gone on is `late`.
 */
export function coordinatorActions(world: World, state: State, emit: Emit<State>): void {
  const { owner, ids, move } = state.coordinator;
  if (move === null || ended(move.state)) {
    if (ids >= world.moves) return;
    for (const to of world.names) {
      if (to === owner) continue;
      const planned = { order: { id: ids + 1, from: owner, to }, state: moveTransition(PLANNED, { kind: "start" }) };
      emit(`plan ${ids + 1}: ${owner} to ${to}`, {
        ...state,
        coordinator: { ...state.coordinator, ids: ids + 1, move: planned },
      });
    }
    return;
  }
  const { order } = move;
  switch (move.state.phase) {
    case "copying": {
      const { state: after, answer } = advance(world, state, order);
      if (answer.kind === "copying") emit("advance", after);
      else emit("advance, answer lost", after, true);
      if (answer.kind === "committed") {
        const report: MoveReport = { kind: "committed", epoch: answer.epoch, active: false, rows: 0, bytes: 0 };
        emit("advance: committed", journal(after, { kind: "reported", report }));
        const { state: told, answer: active } = activate(world, after, order);
        emit("advance: committed and told", journal(told, { kind: "reported", report: { ...report, active } }));
      }
      if (answer.kind === "refused") {
        emit("advance: refused", journal(after, { kind: "reported", report: { kind: "refused", reason: "" } }));
      }
      emit("give up", journal(state, { kind: "give up", reason: "" }), true);
      return;
    }
    case "undoing": {
      if (world.flaw === "skipped-undo") {
        const report = { kind: "undone", epoch: state.coordinator.epoch } as const;
        emit("undone, says the coordinator", journal(state, { kind: "undo answered", report }));
        return;
      }
      const { state: after, answer } = undo(world, state, order);
      emit("undo, answer lost", after, true);
      emit(`undo: ${answer.kind}`, journal(after, { kind: "undo answered", report: answer }));
      return;
    }
    case "committed": {
      const { state: after, answer } = activate(world, state, order);
      emit("activate, answer lost", after, true);
      if (answer) emit("activate", journal(after, { kind: "activated" }));
      return;
    }
    case "dropping": {
      const after = drop(world, state, order, move.state.epoch ?? 0);
      emit("drop, answer lost", after, true);
      emit("drop", journal(after, { kind: "dropped" }));
      // An operator does not wait, or the shard moves again meanwhile: then the order to drop is one that comes late.
      emit("drop left to the target", journal(state, { kind: "forced" }), true);
      return;
    }
    default:
  }
}

/** Writes the move's next state, and a commit into the map, as one. */
function journal(state: State, event: MoveEvent): State {
  const { coordinator } = state;
  const { move } = coordinator;
  if (move === null) return state;
  const next = moveTransition(move.state, event);
  if (next === move.state) return state;
  const moved = next.phase === "committed" || next.phase === "done";
  const map = moved ? { owner: move.order.to, epoch: next.epoch ?? 0 } : {};
  return { ...state, coordinator: { ...coordinator, ...map, move: { order: move.order, state: next } } };
}

/** The source's driver of a move, its cleaner, and a target that asks. */
export function partitionActions(world: World, state: State, at: Name, emit: Emit<State>): void {
  const own = partitionOf(state, at);
  const record = own.record?.state;
  if (record?.kind === "leaving" && own.drive !== 0) driverActions(world, state, at, orderOf(record, at), emit);
  if (record?.kind === "gone") {
    if (own.drive === 4) {
      emit(`${at} tells ${record.to}`, activate(world, idle(state, at), orderOf(record, at)).state);
      emit(`${at} tells ${record.to}, lost`, idle(state, at), true);
    }
    if (own.rows !== "") emit(`${at} clears its rows`, withPartition(state, at, { rows: "", hidden: "" }));
  }
  if (record?.kind === "ready") {
    const order = { id: record.move, from: record.from as Name, to: at };
    if (world.flaw === "eager-target") emit(`${at} serves`, activate(world, state, order).state);
    if (!state.attempts.some((attempt) => attempt.at === at)) return;
    const source = partitionOf(state, record.from).record?.state;
    if (source?.kind === "gone" && source.move === record.move && source.to === at) {
      emit(`${at} asks ${record.from}: committed`, activate(world, state, order).state);
    } else emit(`${at} asks ${record.from}: serving`, release(state, at));
  }
}

function driverActions(world: World, state: State, at: Name, order: Order, emit: Emit<State>): void {
  const { drive, rows, ajar } = partitionOf(state, at);
  if (ajar === "soon") {
    const gate = drive === 2 || drive === 3 ? "open" : "";
    emit(`an earlier hand-off at ${at} ends`, release(withPartition(state, at, { ajar: gate }), at), true);
  }
  const stopped = (next: State) => release(idle(next, at), at);
  if (drive === 1) {
    emit(`${at} stops callers`, withPartition(state, at, { drive: 2 }));
    emit(`${at}'s driver pauses`, idle(state, at), true);
  }
  const chunk = chunkFor(world, state, order, false);
  if (chunk !== undefined && (drive === 1 || (drive === 2 && chunk.from === null))) {
    const { state: after } = store(world, state, order, chunk);
    if (after !== state) emit(`${at} copies ${chunk.rows ?? "nothing"}`, after);
  }
  if (drive === 2 && !runs(state, at)) {
    const last = chunkFor(world, state, order, true);
    if (last !== undefined) {
      const { state: after, answer } = store(world, state, order, last);
      emit(`${at} sends the rest, answer lost`, after, true);
      if (answer.kind === "stored" && answer.ready) {
        emit(`${at} sends the rest`, withPartition(after, at, { drive: 3 }));
      }
    }
  }
  if (drive === 2 || drive === 3) {
    if (world.flaw === "unchecked-commit" && drive === 3) {
      emit(`${at} lets callers in`, release(withPartition(state, at, { ajar: "open" }), at), true);
    } else emit(`${at} lets callers in`, stopped(state), true);
  }
  if (drive !== 3) return;
  // Here the code looks once more whether anything was written meanwhile. The protocol must not need it.
  if (ajar === "open" && world.flaw !== "unchecked-commit" && rows !== partitionOf(state, order.to).rows) return;
  const { state: after, step } = happen(world, state, at, { kind: "commit", move: order.id });
  if (step.kind !== "next") return;
  const gone = withPartition(after, at, { drive: 4, ajar: "" });
  emit(`${at} commits`, release(world.flaw === "served-after-commit" ? runHeld(gone, at) : gone, at));
}

function runHeld(state: State, at: Name): State {
  let next = state;
  for (const { call } of state.attempts.filter((each) => each.at === at)) {
    next = withPartition(next, at, { rows: written(partitionOf(next, at).rows, call) });
    next = { ...next, acked: acknowledged(next.acked, call) };
  }
  return { ...next, attempts: next.attempts.map((each) => (each.at === at ? { ...each, at: "." } : each)) };
}

export function acknowledged(acked: string, call: string): string {
  return acked.includes(call) ? acked : [...acked, call].sort().join("");
}

/** Whether a turn runs there. */
function runs({ attempts }: State, at: Name): boolean {
  return attempts.some((each) => each.at === at.toLowerCase());
}

function idle(state: State, at: Name): State {
  return withPartition(state, at, { drive: 0, ajar: "" });
}

function orderOf({ move, to }: { readonly move: number; readonly to: string }, from: Name): Order {
  return { id: move, from, to: to as Name };
}

/** Any request that can be sent now may arrive any time later, or once more; a few of them are on their way at once. */
export function lateActions(world: World, state: State, emit: Emit<State>): void {
  state.late.forEach((message, index) => {
    const key = messageText(message);
    if (state.late.findIndex((other) => messageText(other) === key) < index) return;
    const late = state.late.filter((_, place) => place !== index);
    emit(`lost: ${key}`, { ...state, late }, true);
    for (const after of deliver(world, { ...state, late }, message)) emit(`late: ${key}`, after, true);
  });
  if (state.late.length >= world.late) return;
  for (const message of sendable(world, state)) {
    emit(`on its way: ${messageText(message)}`, { ...state, late: [...state.late, message] }, true);
  }
}

function sendable(world: World, state: State): Message[] {
  const messages: Message[] = [];
  const { move } = state.coordinator;
  if (move !== null) {
    const { order } = move;
    const { phase, epoch } = move.state;
    const source = partitionOf(state, order.from).record?.state;
    const gone = source?.kind === "gone" && source.move === order.id;
    if (phase === "copying") messages.push({ kind: "advance", order });
    if (phase === "undoing") messages.push({ kind: "undo", order });
    if (phase === "committed" || gone) messages.push({ kind: "activate", order });
    if (phase === "dropping") messages.push({ kind: "drop", order, epoch: epoch ?? 0 });
  }
  for (const at of world.names) {
    const { record, drive } = partitionOf(state, at);
    if (record?.state.kind !== "leaving" || (drive !== 1 && drive !== 2)) continue;
    const order = orderOf(record.state, at);
    for (const final of drive === 1 ? [false] : [false, true]) {
      const chunk = final && runs(state, at) ? undefined : chunkFor(world, state, order, final);
      if (chunk !== undefined) messages.push({ kind: "chunk", order, chunk });
    }
  }
  return messages;
}
