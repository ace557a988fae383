import { serves } from "../../placement/shard-state.ts";
import type { Emit } from "./explore.ts";
import { acknowledged } from "./move-model-actions.ts";
import { claim, type World } from "./move-model-handlers.ts";
import {
  type Attempt,
  gateClosed,
  type MoveModelState,
  type Name,
  partitionOf,
  withPartition,
  written,
} from "./move-model-state.ts";

type State = MoveModelState;

/**
 * Callers. Two tries of a reliable call, for its caller may try again while the first is still somewhere, and one of another
 * call. A try on its way may arrive at any partition at any time, which is more than a router with any guess that follows
 * MOVED can do; where it is told MOVED it stays on its way.
 */
export function callActions(world: World, state: State, emit: Emit<State>): void {
  state.attempts.forEach((attempt, index) => {
    const twin = state.attempts.findIndex(({ call, at }) => call === attempt.call && at === attempt.at);
    if (attempt.at === "." || twin < index) return;
    if (attempt.at === "~") for (const at of world.names) arrive(world, state, index, at, emit);
    else if (attempt.at !== attempt.at.toUpperCase()) finish(state, index, emit);
  });
}

function arrive(world: World, before: State, index: number, at: Name, emit: Emit<State>): void {
  const state = claim(world, before, at);
  const own = partitionOf(state, at);
  const { call } = state.attempts[index] as Attempt;
  if (own.record?.state.kind === "ready" || (serves(own.record?.state) && gateClosed(own))) {
    emit(`call ${call} waits at ${at}`, place(state, index, at));
    return;
  }
  if (!serves(own.record?.state)) {
    if (state !== before) emit(`call ${call} at ${at}: MOVED`, state);
    return;
  }
  const marked = call === "1" && own.rows.includes("m");
  if (!world.slowTurns || marked) {
    const after = marked ? state : withPartition(state, at, { rows: written(own.rows, call) });
    answer(after, index, `call ${call} ${marked ? "again" : "runs"} at ${at}`, emit);
    return;
  }
  const turn = at.toLowerCase();
  if (state.attempts.some((each) => each.at === turn)) return;
  const begun = place(state, index, turn);
  const acked = world.flaw === "early-reply" ? acknowledged(begun.acked, call) : begun.acked;
  emit(`call ${call} begins at ${at}`, { ...begun, acked });
}

/** The turn's commit, wherever its shard is by now. */
function finish(state: State, index: number, emit: Emit<State>): void {
  const { call, at } = state.attempts[index] as Attempt;
  const name = at.toUpperCase();
  const after = withPartition(state, name, { rows: written(partitionOf(state, name).rows, call) });
  answer(after, index, `call ${call} ends at ${name}`, emit);
}

/** The answer may be lost when there is another try to ask again. */
function answer(state: State, index: number, action: string, emit: Emit<State>): void {
  const { call } = state.attempts[index] as Attempt;
  const over = place(state, index, ".");
  emit(action, { ...over, acked: acknowledged(state.acked, call) });
  const another = state.attempts.some((each, other) => other !== index && each.call === call && each.at !== ".");
  if (another && !state.acked.includes(call)) emit(`${action}, answer lost`, over, true);
}

function place(state: State, index: number, at: string): State {
  return { ...state, attempts: state.attempts.map((each, other) => (other === index ? { ...each, at } : each)) };
}

/** A partition loses what it had only in memory; callers that were there try again. */
export function crash(world: World, state: State, at: Name, emit: Emit<State>): void {
  if (state.crashes >= world.crashes) return;
  const own = partitionOf(state, at);
  const turn = at.toLowerCase();
  if (own.drive === 0 && !state.attempts.some((each) => each.at === at || each.at === turn)) return;
  const attempts = state.attempts.map((each) => {
    if (each.at !== at && each.at !== turn) return each;
    return { ...each, at: each.at === turn && world.flaw === "early-reply" ? "." : "~" };
  });
  const hidden = world.flaw === "lost-changes" ? unsent(state, at) : "";
  const next = withPartition({ ...state, attempts }, at, { drive: 0, ajar: "", hidden });
  emit(`${at} crashes`, Number.isFinite(world.crashes) ? { ...next, crashes: state.crashes + 1 } : next, true);
}

/** What the source has and the copy has not. */
function unsent(state: State, at: Name): string {
  const { record, rows, hidden } = partitionOf(state, at);
  if (record?.state.kind !== "leaving") return hidden;
  const { cursor, rows: copied } = partitionOf(state, record.state.to);
  return cursor === null ? "" : [...rows].filter((each) => !copied.includes(each)).join("");
}
