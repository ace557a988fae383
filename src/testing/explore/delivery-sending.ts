import type { Reply } from "../../object/message.ts";
import { nextStep, type Outcome, type Step, type Verdict, verdict } from "../../partition/outbox/delivery.ts";
import type { DeliveryFlaw } from "./delivery-flaws.ts";
import { type Handled, hear, receive } from "./delivery-handlers.ts";
import {
  type At,
  CALLS,
  type Call,
  type DeliveryState,
  type Held,
  heldOf,
  NAMES,
  open,
  PLACES,
  type Request,
  withHeld,
  withRows,
} from "./delivery-model-state.ts";
import type { Emit } from "./explore.ts";

type State = DeliveryState;

/** What a partition does about the messages that it holds. */
export function sendingActions(state: State, at: At, flaw: DeliveryFlaw | undefined, emit: Emit<State>): void {
  if (flaw === "left-early") leaveEarly(state, at, emit);
  if (!open(state, "sender", at) && flaw !== "goes-on") return;
  for (const call of CALLS) {
    const held = heldOf(state, at, call);
    if (held === "-" || isBehind(state, at, call, flaw)) continue;
    const step = stepOf(call, held, flaw);
    if (step === "remove") {
      emit(`${NAMES[at]} removes ${call}`, removed(state, at, call));
      continue;
    }
    for (const to of PLACES) {
      const { state: after, reply } = request(state, to, { step, call, outcome: held }, flaw);
      const action = `${NAMES[at]} ${step}s ${call} at ${NAMES[to]}`;
      if (after !== state) emit(`${action}, answer lost`, after, true);
      if (reply === undefined) continue;
      const next = answered(after, at, call, step, reply, flaw);
      if (next !== state) emit(`${action}: ${reply.kind}`, next);
    }
    // A question changes nothing.
    if (state.late === null && step !== "ask") {
      emit(`on its way: ${step} ${call}`, { ...state, late: { step, call, outcome: held } }, true);
    }
  }
}

/** A request that nobody waits for. */
export function lateActions(state: State, flaw: DeliveryFlaw | undefined, emit: Emit<State>): void {
  const { late } = state;
  if (late === null) return;
  const rest = { ...state, late: null };
  emit(`lost: ${late.step} ${late.call}`, rest, true);
  for (const to of PLACES) {
    const { state: after } = request(rest, to, late, flaw);
    if (after !== rest) emit(`late at ${NAMES[to]}: ${late.step} ${late.call}`, after, true);
  }
}

/** The first of a line is sent until it is accepted, then the next. */
function isBehind(state: State, at: At, call: Call, flaw: DeliveryFlaw | undefined): boolean {
  return call === "2" && heldOf(state, at, "2") === "l" && heldOf(state, at, "1") === "l" && flaw !== "side-by-side";
}

function stepOf(call: Call, held: Held, flaw: DeliveryFlaw | undefined): Step {
  const outcome = outcomeOfHeld(held);
  if (flaw === "removed-early" || (flaw === "untold" && outcome !== undefined)) return "remove";
  return nextStep({ inLine: held === "l", onOutcome: call === "1" ? "heard" : null, outcome });
}

function outcomeOfHeld(held: Held): Outcome | undefined {
  if (held === "s") return { status: "success", response: 1 };
  return held === "e" ? { status: "expired", error: { code: "DEADLINE_EXCEEDED", message: "" } } : undefined;
}

function request(state: State, to: At, { step, call, outcome }: Request, flaw: DeliveryFlaw | undefined): Handled {
  if (step === "tell") return hear(flaw, state, to, outcome);
  return receive(flaw, state, to, call, step === "send" ? "accepted" : "outcome");
}

/** The partition has an answer: what it says is the real decision. */
function answered(
  state: State,
  at: At,
  call: Call,
  step: Exclude<Step, "remove">,
  reply: Reply,
  flaw: DeliveryFlaw | undefined,
): State {
  if (flaw === "moved-is-accepted" && reply.kind === "moved") return withHeld(state, at, call, "a");
  const asked = step === "ask" ? "outcome" : "accepted";
  const found: Verdict = verdict(reply, asked);
  switch (found.kind) {
    case "again":
      return state;
    case "accepted":
      if (step === "tell") return removed(state, at, call);
      return withHeld(state, at, call, flaw === "accepted-is-ended" ? "s" : "a");
    case "ended":
      if (step === "tell") return removed(state, at, call);
      return withHeld(state, at, call, found.outcome.status === "success" ? "s" : "e");
    case "refused":
      throw new Error(`nobody refuses here: ${found.error.code}`);
  }
}

/** Its row is removed, durably. */
function removed(state: State, at: At, call: Call): State {
  const { outbox } = state.sender[at].rows;
  return withHeld(withRows(state, "sender", at, { outbox: outbox.replace(call, "") }), at, call, "-");
}

function leaveEarly(state: State, at: At, emit: Emit<State>): void {
  const next = CALLS[state.sent];
  if (next === undefined || !open(state, "sender", at)) return;
  for (const to of PLACES) {
    const { state: after } = receive(undefined, state, to, next, "accepted");
    if (after !== state) emit(`${NAMES[at]} sends ${next} to ${NAMES[to]} before its turn is durable`, after);
  }
}
